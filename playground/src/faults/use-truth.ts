import { onScopeDispose, shallowRef, watch, type ShallowRef } from 'vue'
import type { FaultTools } from './fault-tools.ts'
import type { TrueRun } from './true-run.ts'

/** What the database says. */
export interface Truth {
  /** Null before the first answer, and for a run that is not there. */
  run: Readonly<ShallowRef<TrueRun | null>>
  /** Why it could not be read, in words. */
  problem: Readonly<ShallowRef<string | null>>
}

/**
 * Reads a run from the database past all faults, again and again until the scope ends.
 * @param runId - may change; nothing is read for null.
 */
export function useTruth(
  runId: () => string | null,
  { readRun, truthInterval }: Pick<FaultTools, 'readRun' | 'truthInterval'>,
): Truth {
  const run = shallowRef<TrueRun | null>(null)
  const problem = shallowRef<string | null>(null)
  let timer: ReturnType<typeof setTimeout> | undefined
  /** Differs for each run that is asked for. */
  let turn = 0
  const read = async (id: string, own: number) => {
    const answer = await readRun(id).then(
      (found) => ({ found, reason: null }),
      (error: unknown) => ({
        found: run.value,
        reason: error instanceof Error ? error.message : String(error),
      }),
    )
    if (own !== turn) return
    run.value = answer.found
    problem.value = answer.reason
    timer = setTimeout(() => void read(id, own), truthInterval)
  }
  const stop = () => {
    turn += 1
    clearTimeout(timer)
  }
  watch(
    runId,
    (id) => {
      stop()
      run.value = null
      problem.value = null
      if (id !== null) void read(id, turn)
    },
    { immediate: true },
  )
  onScopeDispose(stop)
  return { run, problem }
}
