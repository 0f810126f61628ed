import { markRaw } from 'vue'
import { isRunId } from './model/run-id.ts'

/**
 * Passes runs and steps through a serialiser that refuses some names in inputs and outputs, such as
 * devalue, which writes Nuxt's payload and refuses `__proto__`. They are passed as JSON text. See
 * docs/guides/nuxt.md for Nuxt's plugin.
 *
 * @example
 * import { parse, stringify } from 'devalue'
 *
 * const text = stringify(toRaw(pinia.state.value), { PgflowRow: pgflowPayload.reduce })
 * const state = parse(text, { PgflowRow: pgflowPayload.revive })
 */
export const pgflowPayload = {
  /**
   * Writes a run or a step as text; false for everything else. One that is nested too deeply to be
   * written is left out, and the browser reads it.
   */
  reduce(this: void, value: unknown): string | false {
    if (!isRow(value)) return false
    try {
      return JSON.stringify(value)
    } catch {
      return '{}'
    }
  },
  /** Parses the run or step of a text. */
  revive(this: void, text: string): unknown {
    const row: unknown = JSON.parse(text)
    if (isRow(row)) {
      for (const part of [row.input, row.output]) {
        if (typeof part === 'object' && part !== null) markRaw(part)
      }
    }
    return row
  },
}

type PlainRow = Record<string, unknown>

/** Recognised by its columns, so that copies that the app keeps elsewhere are included. */
function isRow(value: unknown): value is PlainRow {
  if (typeof value !== 'object' || value === null) return false
  const has = (column: string) => Object.hasOwn(value, column)
  const id: unknown = has('run_id') && Reflect.get(value, 'run_id')
  const isOfPgflow = (has('flow_slug') && has('input')) || has('step_slug')
  return typeof id === 'string' && isRunId(id) && isOfPgflow && has('output')
}
