import { computed, toValue, type ComputedRef, type MaybeRefOrGetter } from 'vue'
import type { PgflowError } from '../errors.ts'
import { asRunId, notARunId } from '../model/run-id.ts'

/** The id that a component was given, and what is wrong with it. */
export interface GivenRunId {
  /** The id as Postgres writes it; null while there is none, or what was given is none. */
  runId: ComputedRef<string | null>
  /** `invalid_input` for what is not the id of a run, such as a part of an address. */
  idError: ComputedRef<PgflowError | null>
}

/** Reads an id that may change, and that may come from the address of the page. */
export function readRunId(id: MaybeRefOrGetter<string | null | undefined>): GivenRunId {
  return {
    runId: computed(() => asRunId(toValue(id))),
    idError: computed(() => {
      const given = toValue(id) ?? null
      return given === null || asRunId(given) !== null ? null : notARunId(given)
    }),
  }
}
