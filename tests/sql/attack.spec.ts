import { randomUUID } from 'node:crypto'
import { Flow } from '@pgflow/dsl'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBackend, type Backend } from '../../playground/backend/index.ts'
import { Listener } from '../support/listener.ts'
import { connect } from '../support/backend.ts'

const Secret = new Flow<{ text: string }>({ slug: 'secret' }).step({ slug: 'shout' }, (input) =>
  input.run.text.toUpperCase(),
)

/** What the attacker is after; it must never reach them. */
const text = `the plan ${randomUUID()}`

type Client = ReturnType<typeof connect>

const attackers = [
  { who: 'who is not signed in', isSignedIn: false },
  { who: 'who is signed in as another user', isSignedIn: true },
]

describe.each(attackers)('over REST and Realtime, an attacker $who', ({ isSignedIn }) => {
  let backend: Backend
  let victim: Client
  let attacker: Client
  const runId = randomUUID()

  beforeAll(async () => {
    backend = await createBackend({ flows: [Secret], realtime: { joinErrorDelayMs: 10 } })
    await backend.db.exec(`select pgflow_realtime.set_visibility('private')`)
    victim = await signedUp('victim')
    attacker = isSignedIn ? await signedUp('attacker') : connect(backend)
    expect(await start(victim, runId)).toBeNull()
  })
  afterAll(async () => {
    await Promise.all([victim, attacker].map(leave))
    await backend.close()
  })

  async function signedUp(name: string): Promise<Client> {
    const client = connect(backend)
    const { error } = await client.auth.signUp({
      email: `${name}@example.com`,
      password: 'correct horse',
    })
    expect(error).toBeNull()
    await client.realtime.setAuth()
    return client
  }

  async function leave(client: Client): Promise<void> {
    await client.removeAllChannels()
    await client.realtime.disconnect()
  }

  /** Starts the flow and returns the error, if any. */
  async function start(client: Client, id: string) {
    const args = { p_flow_slug: 'secret', p_input: { text }, p_run_id: id }
    const { error } = await call(client, 'start_flow_with_states', args)
    return error
  }

  const call = (client: Client, name: string, args: Record<string, unknown> = {}) =>
    client.schema('pgflow_client').rpc(name, args)

  it('cannot read a run, nor learn whether it exists', async () => {
    const [known, unknown] = [runId, randomUUID()]
    for (const id of [known, unknown]) {
      expect(await call(attacker, 'get_run_with_states', { p_run_id: id })).toMatchObject({
        error: null,
        data: [],
        status: 200,
      })
      expect(await call(attacker, 'get_runs_with_states', { p_run_ids: [id] })).toMatchObject({
        error: null,
        data: [],
      })
    }
    expect(JSON.stringify(await call(attacker, 'list_runs'))).not.toContain(known)
    const mine = await call(victim, 'get_run_with_states', { p_run_id: known })
    expect(JSON.stringify(mine)).toContain(text)
    expect(JSON.stringify(await call(victim, 'list_runs'))).toContain(known)
  })

  it('cannot receive a run, nor the list of its owner', async () => {
    const user = (await victim.auth.getUser()).data.user?.id ?? ''
    const id = randomUUID()
    const [run, feed] = [`pgflow:run:${id}`, `pgflow:user:${user}`]
    const owner = new Listener(victim.channel(feed, { config: { private: true } }))
    await owner.status('SUBSCRIBED')
    const publicly = [run, feed].map((topic) => new Listener(attacker.channel(topic)))
    await Promise.all(publicly.map((listener) => listener.status('SUBSCRIBED')))
    await start(victim, id)
    await owner.event('run:completed')
    expect(publicly.flatMap((listener) => listener.heard)).toEqual([])
    await attacker.removeAllChannels()

    const privately = [run, feed].map(
      (topic) => new Listener(attacker.channel(topic, { config: { private: true } })),
    )
    for (const listener of privately) {
      await listener.status('CHANNEL_ERROR')
      expect(listener.statuses[0]?.message).toContain('Unauthorized')
    }
    await attacker.removeAllChannels()
    await victim.removeAllChannels()
  })

  it('cannot forge an event, publicly or privately', async () => {
    const topic = `pgflow:run:${runId}`
    const owner = new Listener(victim.channel(topic, { config: { private: true } }))
    await owner.status('SUBSCRIBED')
    const forged = {
      type: 'broadcast',
      event: 'run:failed',
      payload: { run_id: runId, seq: 99 },
    } as const
    const publicly = attacker.channel(topic, { config: { broadcast: { ack: true } } })
    await new Listener(publicly).status('SUBSCRIBED')
    await publicly.send(forged)
    await owner.channel.send(forged)
    await backend.db.query(`select pgflow_realtime.broadcast($1, 'true', '{}')`, [runId])
    await owner.event('true')
    expect(owner.heard.map((message) => message.event)).toEqual(['true'])
    await attacker.removeAllChannels()
    await victim.removeAllChannels()
  })

  it('cannot start a run over that of another', async () => {
    const error = await start(attacker, runId)
    expect(error?.code).toBe(isSignedIn ? 'PT409' : 'PT401')
    expect(JSON.stringify(error)).not.toContain(text)
  })

  it('can call nothing else of the two schemas', async () => {
    for (const [name, args] of [
      ['allow_start', { flow_slug: 'secret', role: 'anon' }],
      ['disallow_start', { flow_slug: 'secret', role: 'authenticated' }],
    ] as const) {
      const { error } = await call(attacker, name, args)
      expect(error?.code).toBe('42501')
    }
    const internal = await attacker.schema('pgflow_realtime').rpc('broadcast', {
      p_run_id: runId,
      p_event: 'run:failed',
      p_payload: {},
    })
    expect(internal.error).not.toBeNull()
    const table = await attacker.schema('pgflow_realtime').from('run_owners').select()
    expect(table.error).not.toBeNull()
    const runs = await attacker.schema('pgflow').from('runs').select()
    expect(runs.error).not.toBeNull()
  })
})
