import type { RunHooks } from '../../src/composables/run-hooks.ts'
import type { Truth } from './truth.ts'
import type { Violate } from './violation.ts'

/** What the hooks of a component are judged by. */
export interface EndWatch {
  runId: string
  truth: Truth
  violate: Violate
  /** Returns whether nothing of the run was forgotten since it was called. */
  generation: () => () => boolean
  /** Whether the component is shown: no hook of an inactive component is called. */
  isShown: () => boolean
}

/** The hooks of one component: each end is emitted once, and when the database has it. */
export function watchEnds({ runId, truth, violate, generation, isShown }: EndWatch): RunHooks {
  let isCurrent = generation()
  let ends = 0
  return {
    onEnded: ({ status }) => {
      if (!isShown()) violate('changes', 'onEnded came to a component that is not shown')
      // What was dropped may be emitted again.
      ends = isCurrent() ? ends + 1 : 1
      isCurrent = generation()
      const ofRun = truth.runs.get(runId)
      if (!ofRun?.everHad.get('')?.has(status)) violate('changes', 'onEnded came before the end')
      if (ends > 1 && ofRun?.repairedAt === null) violate('changes', 'onEnded was called twice')
    },
  }
}
