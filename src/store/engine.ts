import { ChangeLog } from './change-log.ts'
import { createFlowShapes } from './flow-shapes.ts'
import { createFollowed } from './followed.ts'
import { ownValue } from '../model/own-value.ts'
import type { PgflowConfig } from '../options.ts'
import { createOutputValidation } from './output-validation.ts'
import { RunStateWriter } from './run-state.ts'
import { createRunTables } from './run-tables.ts'
import { createServerReads } from './server-reads.ts'
import { Runs } from '../sync/runs.ts'
import { SeqProbe } from '../sync/seq-probe.ts'
import type { SessionChange } from '../transport/types.ts'

/** What works behind the stores of one Pinia: the state of runs, and whatever keeps it true. */
export type Engine = ReturnType<typeof createEngine>

/** What the lists, where an app has any, do when something happens to runs. */
export interface ListSubscriber {
  /** A run was written, which was held at this seq before, if at all. */
  onWrite: (runId: string, seqBefore: number) => void
  /** A start begins; the returned function is called once the database has started the run. */
  onStart: () => (runId: string) => void
  /** Everything that is held was forgotten. */
  onReset: () => void
  /** Somebody else is signed in, or the same user has a new token. */
  onSessionChange: (change: SessionChange) => void
  /** Every channel is left, and every timer stopped. */
  onStop: () => void
}

/**
 * Makes what works behind one store. It outlives the store object, which Pinia makes anew after a
 * hot update or `$dispose`.
 * @param dropUnusedLists - drops lists that came from a server, and that no store has taken over.
 */
export function createEngine(config: () => PgflowConfig, dropUnusedLists: () => void) {
  const changes = new ChangeLog()
  let lists: ListSubscriber | null = null
  const tables = createRunTables()
  const state = new RunStateWriter(tables, {
    isListening: () => changes.isListening,
    onChange: (change) => changes.push(change),
    onOutput: (run, stepSlug, output) => outputs.check(run, stepSlug, output),
    onWrite: (runId, seqBefore) => lists?.onWrite(runId, seqBefore),
  })
  const outputs = createOutputValidation({
    schemas: (flowSlug) => ownValue(config().flows, flowSlug),
    report: (error) => config().report(error),
    setError: (...wrong) => state.setOutputError(...wrong),
  })
  const shapes = createFlowShapes(config)
  const followed = createFollowed()
  const serverReads = createServerReads()
  let runs: Runs | null = null
  let probe: SeqProbe | null = null
  let stopSession: (() => void) | null = null

  /** What runs and lists share; from the first use on it matters who is signed in. */
  function context() {
    const { transport, scheduler, times } = config()
    watchSession()
    probe ??= new SeqProbe(transport, scheduler, times.snapshotTimeout)
    return { ...config(), probe }
  }
  /** Goes on until everything is left: what is in the state is not for whoever signs in later. */
  function watchSession(): void {
    const { isServer, transport } = config()
    if (isServer) return
    stopSession ??= transport.watchSession((change) => {
      if (lists) lists.onSessionChange(change)
      else if (change === 'user') dropUnusedLists()
      sync().onSessionChange(change)
    })
  }

  /** Made when first needed and after every stop, with the configuration of that time. */
  const sync = () => (runs ??= new Runs({ ...context(), state }))

  /** Leaves every channel and stops every timer. */
  function stop(): void {
    stopSession?.()
    stopSession = null
    runs?.dispose()
    runs = null
    lists?.onStop()
    probe?.dispose()
    probe = null
    shapes.stop()
  }

  return {
    config,
    context,
    changes,
    outputs,
    tables,
    state,
    shapes,
    followed,
    serverReads,
    sync,
    observeRun: (runId: string) => {
      const connection = () => ownValue(tables.connections.value, runId)
      return followed.add(runId, sync().observe(runId), connection)
    },
    /** The lists are told of runs from now on. */
    subscribeLists: (subscriber: ListSubscriber) => {
      lists = subscriber
    },
    /** A start begins; the returned function is to be called once the database has started the run. */
    beginStart: () => lists?.onStart() ?? (() => {}),
    watchSession,
    /** Forgets everything that is held; what is observed is read anew. */
    reset: () => {
      state.reset()
      runs?.restart()
      if (lists) lists.onReset()
      else dropUnusedLists()
      shapes.reset()
      serverReads.reset()
    },
    stop,
    /** The app is gone. Nobody says any more who is signed in, so nothing of a user is kept. */
    leave: () => {
      stop()
      const { isServer, transport } = config()
      if (isServer) return
      if (!transport.joinsBeforeStart) state.clear()
      if (lists) lists.onReset()
      else dropUnusedLists()
    },
  }
}
