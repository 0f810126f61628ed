import { computed, toValue, type ComputedRef, type MaybeRefOrGetter } from 'vue'
import type { PgflowError } from '../errors.ts'
import { asRunId, notARunId } from '../model/run-id.ts'

/** The id that a component was given, and its error. */
export interface GivenRunId {
  /** The id as Postgres writes it; null if there is none, or it is not valid. */
  runId: ComputedRef<string | null>
  /** `invalid_input` if the id is not that of a run. */
  idError: ComputedRef<PgflowError | null>
}

/** Validates an id that may change, and that may come from the address of the page. */
export function readRunId(id: MaybeRefOrGetter<string | null | undefined>): GivenRunId {
  return {
    runId: computed(() => asRunId(toValue(id))),
    idError: computed(() => {
      const given = toValue(id) ?? null
      return given === null || asRunId(given) !== null ? null : notARunId(given)
    }),
  }
}
