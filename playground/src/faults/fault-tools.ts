import type { SupabaseClient } from '@supabase/supabase-js'
import type { Trace } from 'pinia-pgflow'
import { inject, shallowRef, type App, type InjectionKey, type ShallowRef } from 'vue'
import type { FaultAction, FaultState } from '../../backend/faults/state.ts'
import { createFaultClient, type FaultClient } from './fault-client.ts'
import { createTraceLog, type TraceLog } from './trace-log.ts'

export interface FaultToolsOptions {
  /** Of the embedded backend. */
  url: string
  anonKey: string
  auth: Pick<SupabaseClient['auth'], 'getSession' | 'refreshSession'>
  /** How often a run that goes on is read from the database, in ms. Default 1,000. */
  truthInterval?: number
}

/** Everything behind the fault panel, as a Vue plugin. */
export interface FaultTools {
  /** The option `trace` of `createPgflow`. */
  readonly trace: Trace
  readonly log: TraceLog
  /** What is wrong with the backend; null before it has said so. */
  readonly state: Readonly<ShallowRef<FaultState | null>>
  /** Why the backend could not be asked, in words. */
  readonly problem: Readonly<ShallowRef<string | null>>
  readonly readRun: FaultClient['readRun']
  readonly truthInterval: number
  /** Asks what is wrong: another page may have changed it. */
  look(): Promise<void>
  set(patch: Partial<FaultState>): Promise<void>
  act(action: FaultAction): Promise<void>
  /** Gets a new token for whoever is signed in. */
  renewToken(): Promise<void>
  install(app: App): void
}

const toolsKey: InjectionKey<FaultTools> = Symbol('fault tools')

/** The tools of this app; undefined where there is nothing to switch, as with a real project. */
export function useFaultTools(): FaultTools | undefined {
  return inject(toolsKey, undefined)
}

/** Makes the tools for the embedded backend. */
export function createFaultTools(options: FaultToolsOptions): FaultTools {
  const { auth, truthInterval = 1_000, ...address } = options
  const log = createTraceLog()
  const state = shallowRef<FaultState | null>(null)
  const problem = shallowRef<string | null>(null)
  const client = createFaultClient({
    ...address,
    accessToken: async () => (await auth.getSession()).data.session?.access_token ?? null,
  })
  /** An answer that comes after a later one is not shown. */
  let asked = 0
  const show = async (answer: Promise<FaultState>) => {
    const turn = (asked += 1)
    try {
      const found = await answer
      if (turn !== asked) return
      state.value = found
      problem.value = null
    } catch (error) {
      if (turn === asked) problem.value = error instanceof Error ? error.message : String(error)
    }
  }
  return {
    trace: log.trace,
    log,
    state,
    problem,
    truthInterval,
    readRun: client.readRun,
    look: () => show(client.readState()),
    set: (patch) => show(client.set(patch)),
    act: (action) => show(client.act(action)),
    async renewToken() {
      const { error } = await auth.refreshSession()
      problem.value = error ? `There is no new token: ${error.message}` : null
    },
    install(app) {
      app.provide(toolsKey, this)
    },
  }
}
