import { createListTable } from './list-table.ts'
import type { RunPage } from '../model/entities.ts'
import type { PgflowConfig } from '../options.ts'
import { Lists, type ListObservation } from '../sync/lists/lists.ts'
import type { ListQuery } from '../sync/lists/types.ts'
import type { SeqProbe } from '../sync/seq-probe.ts'
import type { RunState } from '../sync/types.ts'

/** The lists of one store, and whatever keeps them true. */
export type ListEngine = ReturnType<typeof createListEngine>

/**
 * The lists of one store. They overhear what the store learns of the runs that it follows: what a
 * list shows of one is as new.
 */
export function createListEngine(
  context: () => PgflowConfig & { probe: SeqProbe },
  runs: RunState,
) {
  const { state, ...tables } = createListTable()
  let observed: Lists | null = null
  const sync = () => (observed ??= new Lists({ ...context(), state }))

  function tell(runId: string): void {
    const held = observed?.isObserved ? runs.held(runId) : undefined
    if (!held) return
    const { run_id, ...run } = held.run
    // At 0 nothing is counted: what the store holds is the newest.
    observed?.receive({ run_id, seq: held.seq === 0 ? null : held.seq, run, isPartial: false })
  }

  const runState: RunState = {
    ...runs,
    applyEvent(event) {
      const outcome = runs.applyEvent(event)
      if (outcome.kind !== 'stale') tell(event.run_id)
      return outcome
    },
    applySnapshot(snapshot, updates, seqAtRequest) {
      const { run_id } = snapshot.run
      const before = runs.held(run_id)?.seq ?? 0
      const outcome = runs.applySnapshot(snapshot, updates, seqAtRequest)
      if (outcome.kind === 'stale') return outcome
      // A seq that the database takes back was forged.
      if (before > (outcome.seq ?? 0)) observed?.forgetSeq(run_id, before)
      tell(run_id)
      return outcome
    },
  }

  return {
    tables,
    /** Writes into the state of runs, and is overheard. */
    runState,
    watchHydrated: () => sync().watchHydrated(),
    observe: (query: ListQuery): ListObservation => sync().observe(query),
    /** @throws PgflowError */
    fetchPage: (query: ListQuery, before: string | null): Promise<RunPage> =>
      sync().fetchPage(query, before),

    /** Call before a start; what it returns with the run's id, once the database has started it. */
    beginStart(): (runId: string) => void {
      const claim = observed?.beginStart()
      return (runId) => {
        claim?.(runId)
        tell(runId)
      }
    },

    /** Forgets what is shown; what somebody observes is read anew. */
    reset(): void {
      for (const table of Object.values(tables)) table.value = {}
      observed?.restart()
    },

    /** Leaves the feed and stops every timer. */
    stop(): void {
      observed?.dispose()
      observed = null
    },
  }
}
