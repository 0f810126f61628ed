import { ChangeFeed } from './change-feed.ts'
import { createFlowShapes } from './flow-shapes.ts'
import { createFollowed } from './followed.ts'
import { ownValue } from '../model/own-value.ts'
import { createListEngine } from './list-engine.ts'
import type { PgflowConfig } from '../options.ts'
import { createOutputCheck } from './output-check.ts'
import { createRunTable } from './run-table.ts'
import { createServerReads } from './server-reads.ts'
import type { ListQuery } from '../sync/lists/types.ts'
import { Runs } from '../sync/runs.ts'
import { SeqProbe } from '../sync/seq-probe.ts'

/** What works behind the store: its state, and whatever keeps it true. */
export type Engine = ReturnType<typeof createEngine>

/**
 * Makes what works behind one store. It outlives the store object, which Pinia makes anew after a
 * hot update or `$dispose`.
 */
export function createEngine(config: () => PgflowConfig) {
  const changes = new ChangeFeed()
  const { state, setOutputError, ...tables } = createRunTable({
    onChange: (change) => changes.push(change),
    onOutput: (run, stepSlug, output) => outputs.check(run, stepSlug, output),
  })
  const outputs = createOutputCheck({
    schemas: (flowSlug) => ownValue(config().flows, flowSlug),
    report: (error) => config().report(error),
    setError: setOutputError,
  })
  const lists = createListEngine(() => context(), state)
  const shapes = createFlowShapes(config)
  const followed = createFollowed()
  const serverReads = createServerReads(state, lists.tables.lists)
  let runs: Runs | null = null
  let probe: SeqProbe | null = null
  /** What runs and lists share. */
  function context() {
    const { transport, scheduler, times } = config()
    probe ??= new SeqProbe(transport, scheduler, times.snapshotTimeout)
    return { ...config(), probe }
  }
  /** Made when first needed and after every stop, with the configuration of that time. */
  const sync = () => (runs ??= new Runs({ ...context(), state: lists.runState }))

  return {
    config,
    changes,
    outputs,
    tables,
    lists,
    shapes,
    /** The runs and lists that are observed. */
    followed: followed.keys,
    serverReads,
    sync,
    observeRun: (runId: string) => followed.add(runId, sync().observe(runId)),
    observeRuns: (query: ListQuery) => {
      const observation = lists.observe(query)
      return followed.add(observation.key, observation)
    },
    /** What was there before the store is not for somebody else who signs in. */
    watchHydrated: () => {
      const { isServer, transport } = config()
      if (isServer) return
      lists.watchHydrated()
      if (!transport.canJoinEarly) sync().watchSession()
    },
    /** Forgets everything that is held; what is observed is read anew. */
    reset: () => {
      for (const table of Object.values(tables)) table.value = {}
      runs?.restart()
      lists.reset()
      shapes.reset()
      serverReads.reset()
    },
    /** Leaves every channel and stops every timer. */
    stop: () => {
      runs?.dispose()
      runs = null
      lists.stop()
      probe?.dispose()
      probe = null
      shapes.stop()
    },
  }
}
