import { usePgflowStore } from '../store/pgflow-store.ts'
import type { AnyFlow, RunOf, StepOf } from '../flow-types.ts'
import type { RunChange } from '../model/changes.ts'
import { isTerminal, type StepRetry } from '../model/entities.ts'

/**
 * Called when something happens to the run that is shown: once for each change, however it was
 * learned, and never because of a reconnect or because a run is read for the first time. What only
 * a message says that may be forged or incomplete is told when the database has confirmed it. The
 * rows are copies, as they were when it was told.
 *
 * @example
 * useFlow('analyze_text', {
 *   onCompleted: (run) => notify(`${run.flow_slug} is done`),
 *   onFailed: (run) => notify(run.error_message),
 * })
 */
export interface RunHooks<Flow extends AnyFlow = AnyFlow> {
  /** The database has started the run. */
  onStarted?: (run: RunOf<Flow>) => void
  /** A step has another status. */
  onStep?: (step: StepOf<Flow>, run: RunOf<Flow>) => void
  /** An attempt at a step has failed and will be repeated. */
  onRetry?: (retry: StepRetry, step: StepOf<Flow>) => void
  onCompleted?: (run: RunOf<Flow>) => void
  onFailed?: (run: RunOf<Flow>) => void
  /** The run has ended, whatever its outcome. */
  onEnded?: (run: RunOf<Flow>) => void
}

/**
 * Calls the hooks for whatever run `runId` names at the time, until the scope ends.
 * @param isShown - nothing is told to a component that is kept alive and not shown.
 */
export function useRunHooks(
  runId: () => string | null,
  hooks: RunHooks,
  isShown: () => boolean,
): void {
  if (Object.keys(hooks).length === 0) return
  usePgflowStore().onRunChange((change) => {
    if (isShown() && change.run.run_id === runId()) callHooks(hooks, change)
  })
}

function callHooks(hooks: RunHooks, change: RunChange): void {
  const { run } = change
  if (change.kind === 'retry') hooks.onRetry?.(change.retry, change.step)
  else if (change.kind === 'step') hooks.onStep?.(change.step, run)
  else {
    // A short run can have ended by the time its start is answered.
    if (change.from === 'pending') hooks.onStarted?.(run)
    if (run.status === 'completed') hooks.onCompleted?.(run)
    if (run.status === 'failed') hooks.onFailed?.(run)
    if (isTerminal(run.status)) hooks.onEnded?.(run)
  }
}
