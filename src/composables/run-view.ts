import { computed, type ComputedRef } from 'vue'
import type { AnyFlow, RunOf, StepOf, StepSlug } from '../flow-types.ts'
import type { PgflowError, PlainError } from '../errors.ts'
import {
  idleConnection,
  stepKey,
  type PgflowRun,
  type PgflowStep,
  type RunConnection,
} from '../model/entities.ts'
import { ownValue } from '../model/own-value.ts'
import type { Progress } from '../model/progress.ts'
import { useEngine } from '../store/installation.ts'
import { usePgflowStore } from '../store/pgflow-store.ts'
import type { RunObservation } from '../sync/runs.ts'
import { observeInScope, type ScopedObservation } from './observe-in-scope.ts'
import { stepsProgress } from './steps-progress.ts'

/** One run as a component uses it. */
export interface RunView<Flow extends AnyFlow = AnyFlow> {
  /** The run, or null while the store does not hold it. */
  run: ComputedRef<RunOf<Flow> | null>
  /** Its steps, in the order of the flow; with plain pgflow once `fetchFlow` has read it. */
  steps: ComputedRef<StepOf<Flow>[]>
  /** One of its steps. Only changes of that step render again. */
  step: <Slug extends StepSlug<Flow>>(slug: Slug) => StepOf<Flow, Slug> | null
  /** Its steps by their outcome, and how far the run is. */
  progress: ComputedRef<Progress>
  /** Whether it was started and has not ended. */
  isRunning: ComputedRef<boolean>
  isCompleted: ComputedRef<boolean>
  isFailed: ComputedRef<boolean>
  /** The connection status; `idle` while there is no run. */
  connection: ComputedRef<RunConnection>
  /**
   * The error of the first output of the run or its steps that does not match its schema (`flows`).
   */
  outputError: ComputedRef<PlainError | null>
}

/**
 * The view of a run that may change or be absent. The types assume what the database promises.
 * @param idError - the error of an invalid id; there is no run then.
 */
export function createRunView(
  runId: ComputedRef<string | null>,
  idError?: ComputedRef<PgflowError | null>,
) {
  const store = usePgflowStore()
  const run = computed((): PgflowRun | null => {
    return runId.value === null ? null : (store.runById(runId.value) ?? null)
  })
  const steps = computed((): PgflowStep[] => {
    return runId.value === null ? [] : store.stepsOf(runId.value)
  })
  const step = (slug: string): PgflowStep | null => {
    return runId.value === null ? null : (store.stepOf(runId.value, slug) ?? null)
  }
  const progress = stepsProgress(steps)
  const hasStatus = (status: string) => computed(() => run.value?.status === status)
  const connection = computed((): RunConnection => {
    const error = idError?.value?.toJSON()
    if (error) return { ...idleConnection(), status: 'closed', error }
    const held = runId.value === null ? undefined : ownValue(store.connections, runId.value)
    return held ?? idleConnection()
  })
  const outputError = computed((): PlainError | null => {
    const id = runId.value
    if (id === null) return null
    const slugs = ownValue(store.stepOrder, id) ?? []
    const keys = [id, ...slugs.map((slug) => stepKey(id, slug))]
    return keys.map((key) => ownValue(store.outputErrors, key)).find(Boolean) ?? null
  })
  return {
    run,
    steps,
    step,
    progress,
    isRunning: hasStatus('started'),
    isCompleted: hasStatus('completed'),
    isFailed: hasStatus('failed'),
    connection,
    outputError,
  }
}

/** Observes the run that `runId` has, until the scope ends. */
export function observeRunInScope(
  runId: ComputedRef<string | null>,
): ScopedObservation<RunObservation> {
  const store = usePgflowStore()
  const { state } = useEngine()
  return observeInScope({
    key: runId,
    observe: (id) => store.observeRun(id),
    read: async (id) => {
      // A middleware may have read it already.
      if (!store.runById(id)) await store.refreshRun(id)
    },
    keepFailure: (id, failed) => state.setConnection(id, failed),
    held: (id) =>
      store.runById(id) ? null : (ownValue(store.connections, id)?.error ?? undefined),
  })
}
