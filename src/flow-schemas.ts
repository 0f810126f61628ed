import type { StandardSchemaV1 } from '@standard-schema/spec'
import { PgflowError, type PgflowErrorCode } from './errors.ts'
import type { AnyFlow, FlowInput, StepSlug } from './flow-types.ts'
import type { Json } from './model/entities.ts'

/**
 * What the values of a flow have to look like, by any library that speaks Standard Schema (valibot,
 * zod, arktype, …).
 *
 * @example
 * const flows = {
 *   analyze_text: {
 *     input: v.object({ text: v.pipe(v.string(), v.minLength(1)) }),
 *     steps: { words: v.array(v.string()) },
 *   },
 * }
 */
export interface FlowSchemas<Flow extends AnyFlow = AnyFlow> {
  /** Checked before a start; what it makes of the input is what the flow gets. */
  input?: StandardSchemaV1<unknown, Json extends FlowInput<Flow> ? unknown : FlowInput<Flow>>
  /** Checked when the output of a run arrives. */
  output?: StandardSchemaV1
  /** Checked when the output of a step arrives, by step slug. */
  steps?: Partial<Record<StepSlug<Flow>, StandardSchemaV1>>
}

/** What is checked, and how a failure is named. */
export interface Subject {
  name: string
  code: PgflowErrorCode
  runId?: string
}

/**
 * What the schema makes of a value: at once if it can tell at once, else a promise of it.
 * @throws PgflowError of the subject's code, which names what is wrong.
 */
export function validate(
  schema: StandardSchemaV1,
  value: unknown,
  { name, code, ...details }: Subject,
): unknown {
  const read = (result: StandardSchemaV1.Result<unknown>): unknown => {
    if (!result.issues) return result.value
    const message = `${name} is not valid: ${describe(result.issues)}`
    throw new PgflowError(code, message, { ...details, cause: result.issues })
  }
  const fail = (cause: unknown): never => {
    if (cause instanceof PgflowError) throw cause
    throw new PgflowError(code, `${name} could not be checked: ${String(cause)}`, {
      ...details,
      cause,
    })
  }
  try {
    const result = schema['~standard'].validate(value)
    return result instanceof Promise ? result.then(read).catch(fail) : read(result)
  } catch (thrown) {
    return fail(thrown)
  }
}

function describe(issues: readonly StandardSchemaV1.Issue[]): string {
  return issues
    .map(({ path, message }) => {
      const keys = path?.map((segment) =>
        String(typeof segment === 'object' ? segment.key : segment),
      )
      return keys?.length ? `${keys.join('.')}: ${message}` : message
    })
    .join('; ')
}
