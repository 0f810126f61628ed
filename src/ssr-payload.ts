import { markRaw } from 'vue'
import { isRunId } from './model/run-id.ts'

/**
 * Takes runs and steps through a serialiser that refuses some names in their inputs and outputs, as
 * devalue, which writes Nuxt's payload, refuses `__proto__`: they travel as JSON text. docs/guides/nuxt.md has the plugin
 * for Nuxt.
 *
 * @example
 * import { parse, stringify } from 'devalue'
 *
 * const text = stringify(toRaw(pinia.state.value), { PgflowRow: pgflowPayload.reduce })
 * const state = parse(text, { PgflowRow: pgflowPayload.revive })
 */
export const pgflowPayload = {
  /**
   * A run or a step as text; false for everything else. What is nested too deeply to be written is
   * left out: the browser reads it.
   */
  reduce(this: void, value: unknown): string | false {
    if (!isRow(value)) return false
    try {
      return JSON.stringify(value)
    } catch {
      return '{}'
    }
  },
  /** The run or step of a text. */
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

type Row = Record<string, unknown>

/** By its columns, so that a copy that the app keeps elsewhere is one too. */
function isRow(value: unknown): value is Row {
  if (typeof value !== 'object' || value === null) return false
  const has = (column: string) => Object.hasOwn(value, column)
  const id: unknown = has('run_id') && Reflect.get(value, 'run_id')
  const isOfPgflow = (has('flow_slug') && has('input')) || has('step_slug')
  return typeof id === 'string' && isRunId(id) && isOfPgflow && has('output')
}
