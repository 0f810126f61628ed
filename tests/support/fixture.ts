import type { AnyFlow } from '@pgflow/dsl'
import type { SupabaseClient } from '@supabase/supabase-js'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import type { Backend, BackendOptions } from '../../playground/backend/index.ts'
import { bootBackend, connect, createGate, type Gate } from './backend.ts'
import { RpcRecorder } from './rpc-recorder.ts'

/** What the tests of a file share, and what each of them gets anew. */
export interface Fixture {
  /** One for all tests of the file. */
  readonly backend: Backend
  /** Where handlers of flows wait; it is open once the test is over. */
  readonly gate: Gate
  /** The requests of `supabase`, and what the test does to them. */
  readonly recording: RpcRecorder
  /** A client of the test, as an app has one. */
  readonly supabase: SupabaseClient
  /** One more client; each leaves its channels when the test is over. */
  client(fetch?: typeof globalThis.fetch): SupabaseClient
  /** Makes any other client leave its channels when the test is over. */
  own<Client extends Pick<SupabaseClient, 'removeAllChannels'>>(client: Client): Client
  /** Starts a run of a flow in the database, past the API, and resolves to its id. */
  startRun(flowSlug: string, input: unknown): Promise<string>
}

/** What a test has to itself. */
type Current = Pick<Fixture, 'gate' | 'recording' | 'supabase'>

export interface FixtureOptions extends Partial<BackendOptions> {
  /** Boots another backend than `bootBackend` does. */
  boot?: typeof bootBackend
  /** Sends the requests of `supabase` through `recording`; default false. */
  isRecorded?: boolean
}

/**
 * Boots a backend before the tests of a file and closes it after them. Flows may use what this
 * returns in their handlers: these run later.
 */
export function useBackend(
  flows: readonly AnyFlow[],
  { boot = bootBackend, isRecorded = false, ...options }: FixtureOptions = {},
): Fixture {
  let backend: Backend | undefined
  let current: Current | undefined
  const clients: Pick<SupabaseClient, 'removeAllChannels'>[] = []
  const booted = () => {
    if (!backend) throw new Error('There is a backend from beforeAll to afterAll only')
    return backend
  }
  const ofTest = () => {
    if (!current) throw new Error('There is a client within a test only')
    return current
  }
  const own: Fixture['own'] = (client) => {
    clients.push(client)
    return client
  }

  beforeAll(async () => {
    backend = await boot(flows, options)
  })
  afterAll(() => backend?.close())
  beforeEach(() => {
    const recording = new RpcRecorder()
    const supabase = own(connect(booted(), isRecorded ? recording.fetch : undefined))
    current = { gate: createGate(), recording, supabase }
  })
  afterEach(async () => {
    current?.gate.open()
    await Promise.all(clients.splice(0).map((client) => client.removeAllChannels()))
  })

  return {
    get backend() {
      return booted()
    },
    get gate() {
      return ofTest().gate
    },
    get recording() {
      return ofTest().recording
    },
    get supabase() {
      return ofTest().supabase
    },
    client: (fetch) => own(connect(booted(), fetch)),
    own,
    async startRun(flowSlug, input) {
      const [row] = await booted().db.query<{ run_id: string }>(
        'select run_id from pgflow.start_flow($1, $2::jsonb)',
        [flowSlug, JSON.stringify(input)],
      )
      if (!row) throw new Error(`No run of ${flowSlug} was started`)
      return row.run_id
    },
  }
}
