import { createChangeLog } from './change-log.ts'
import { createFlowShapes } from './flow-shapes.ts'
import { createFollowed } from './followed.ts'
import { ownValue } from '../model/own-value.ts'
import type { PgflowConfig } from '../options.ts'
import { RunStateWriter } from './run-state.ts'
import { createRunTables } from './run-tables.ts'
import { createServerReads } from './server-reads.ts'
import { Runs } from '../sync/runs.ts'
import { SeqProbe } from '../sync/seq-probe.ts'
import type { SessionChange } from '../transport/types.ts'

/** The state of the runs of one Pinia, and the sync that keeps it up to date. */
export type Engine = ReturnType<typeof createEngine>

/** What the lists, where an app has any, do when runs change. */
export interface ListSubscriber {
  /** A run was written. `seq` is the one that was held before, if it was held at all. */
  onWrite: (runId: string, seqBefore: number) => void
  /** A start begins; the returned function is called once the database has started the run. */
  onStart: () => (runId: string) => void
  /** All state was dropped. */
  onReset: () => void
  /** Another user is signed in, or the same user has a new token. */
  onSessionChange: (change: SessionChange) => void
  /** Every channel is left, and every timer stopped. */
  onStop: () => void
}

/**
 * Creates the engine of one store. It outlives the store object, which Pinia creates again after a
 * hot update or `$dispose`.
 * @param dropUnusedLists - drops lists that a server has rendered and no store has taken over.
 */
export function createEngine(config: () => PgflowConfig, dropUnusedLists: () => void) {
  const changes = createChangeLog()
  let lists: ListSubscriber | null = null
  const tables = createRunTables()
  const state = new RunStateWriter(tables, {
    isListening: changes.isListening,
    onChange: changes.push,
    onOutput: (run, stepSlug, output) => {
      config().flows?.checkOutput(run, stepSlug, output, (error) => {
        state.setOutputError(run.run_id, stepSlug, output, error)
        if (error) config().report(error)
      })
    },
    onWrite: (runId, seqBefore) => lists?.onWrite(runId, seqBefore),
  })
  const shapes = createFlowShapes(config)
  const followed = createFollowed()
  const serverReads = createServerReads()
  let runs: Runs | null = null
  let probe: SeqProbe | null = null
  let stopSession: (() => void) | null = null

  /** What runs and lists share. From its first use on, sign-ins are watched. */
  function context() {
    const { transport, scheduler, times } = config()
    watchSession()
    probe ??= new SeqProbe(transport, scheduler, times.snapshotTimeout)
    return { ...config(), probe }
  }
  /** Watches sign-ins until the engine stops: the state must not be shown to the next user. */
  function watchSession(): void {
    const { isServer, transport } = config()
    if (isServer) return
    stopSession ??= transport.watchSession((change) => {
      if (lists) lists.onSessionChange(change)
      else if (change === 'user') dropUnusedLists()
      sync().onSessionChange(change)
    })
  }

  /** Created when first needed, and again after each stop, with the configuration of that time. */
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
    /** The lists are notified of changes of runs from now on. */
    subscribeLists: (subscriber: ListSubscriber) => {
      lists = subscriber
    },
    /** A start begins. The returned function is called once the database has started the run. */
    beginStart: () => lists?.onStart() ?? (() => {}),
    watchSession,
    /** Drops all state, and reads what is observed again. */
    reset: () => {
      state.reset()
      runs?.restart()
      if (lists) lists.onReset()
      else dropUnusedLists()
      shapes.reset()
      serverReads.reset()
    },
    stop,
    /** The app was unmounted. Sign-ins are not watched any more, so nothing of a user is kept. */
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
