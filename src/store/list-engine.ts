import { createListState } from './list-state.ts'
import type { ListQuery, RunPage } from '../model/entities.ts'
import { ownValue } from '../model/own-value.ts'
import { Lists, type ListObservation } from '../sync/lists/lists.ts'
import { createListTransport } from '../transport/list-transport.ts'
import type { Engine } from './engine.ts'
import { useEngine } from './installation.ts'

/** The state of the lists of one Pinia, and the sync that keeps it up to date. */
export type ListEngine = ReturnType<typeof createListEngine>

const listEngines = new WeakMap<Engine, ListEngine>()

/**
 * The engine of the list store of the active Pinia. It outlives the store object, as `Engine` does.
 * @throws PgflowError `not_installed`
 */
export function useListEngine(): ListEngine {
  const engine = useEngine()
  const listEngine = listEngines.get(engine) ?? createListEngine(engine)
  listEngines.set(engine, listEngine)
  return listEngine
}

function createListEngine(engine: Engine) {
  const { state, ...tables } = createListState()
  let lists: Lists | null = null
  /** Created when first needed, and again after each stop, with the configuration of that time. */
  const sync = () => (lists ??= createSync())

  function createSync(): Lists {
    const { transport, lists: way, ...context } = engine.context()
    const ofLists = 'listRuns' in way ? way : createListTransport(way)
    return new Lists({ ...context, transport: { ...transport, ...ofLists }, state })
  }

  /** Copies what the store has written of a followed run to the lists. */
  function update(runId: string): void {
    const held = lists?.isObserved ? engine.state.run(runId) : undefined
    if (!held) return
    const { run_id, ...run } = held
    // At 0 there is no seq, and what the store holds is the newest.
    const seq = engine.state.seq(runId)
    lists?.receive({ run_id, seq: seq === 0 ? null : seq, run, needsSnapshot: false })
  }

  /** Leaves the feed and stops every timer. */
  function stop(): void {
    lists?.dispose()
    lists = null
  }

  function reset(): void {
    for (const table of Object.values(tables)) table.value = {}
    lists?.restart()
  }

  engine.subscribeLists({
    onWrite(runId, seqBefore) {
      const seq = engine.state.seq(runId) ?? 0
      // A snapshot with a lower seq was accepted: the higher one was forged.
      if (seqBefore > seq) lists?.forgetAbove(runId, seq)
      update(runId)
    },
    onStart() {
      const claim = lists?.beginStart()
      return (runId) => {
        claim?.(runId)
        update(runId)
      }
    },
    onReset: reset,
    onSessionChange(change) {
      if (lists) lists.onSessionChange(change)
      else if (change === 'user') state.clear()
    },
    onStop: stop,
  })

  return {
    tables,
    observe: (query: ListQuery): ListObservation => {
      const observation = sync().observe(query)
      const { key } = observation
      const connection = () => ownValue(tables.lists.value, key)?.connection
      return engine.followed.add(key, observation, connection)
    },
    /** @throws PgflowError */
    fetchPage: (query: ListQuery, before: string | null): Promise<RunPage> =>
      sync().fetchPage(query, before),
    watchSession: engine.watchSession,
    reset,
    stop,
  }
}
