import type { StandardSchemaV1 } from '@standard-schema/spec'
import { PgflowError, toPgflowError, type PgflowErrorCode } from './errors.ts'
import type { AnyFlow, FlowInput, StepSlug } from './flow-types.ts'
import type { Json } from './model/entities.ts'
import { clip } from './model/text.ts'

/**
 * The schemas of a flow's values, from any library that implements Standard Schema (valibot, zod,
 * arktype, …).
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
  /** Validates the input before a start. The flow receives the value that it returns. */
  input?: StandardSchemaV1<unknown, Json extends FlowInput<Flow> ? unknown : FlowInput<Flow>>
  /** Validates the output of a run when it is received. */
  output?: StandardSchemaV1
  /** Validate the outputs of steps when they are received, by step slug. */
  steps?: Partial<Record<StepSlug<Flow>, StandardSchemaV1>>
}

/** What is validated, and the code of a failure. */
export interface Subject {
  name: string
  code: PgflowErrorCode
  runId?: string
  /**
   * Whether to keep the value out of the message, which then has only the path and kind of issues.
   */
  isSecret?: boolean
}

/**
 * A message is kept in the state, and may be shown: its length is limited, whatever the value is.
 */
const mostIssues = 3
const mostKeys = 20
const mostText = 200

/**
 * The value as the schema returns it; a promise only if the schema is asynchronous.
 * @throws PgflowError of the subject's code, with the issues.
 */
export function validate(
  schema: StandardSchemaV1,
  value: unknown,
  { name, code, isSecret = false, ...details }: Subject,
): unknown {
  const refuse = (message: string, cause: unknown) =>
    new PgflowError(code, message, isSecret ? details : { ...details, cause })
  const read = (result: StandardSchemaV1.Result<unknown>): unknown => {
    if (!result.issues) return result.value
    const { issues } = result
    const wrong = issues.slice(0, mostIssues).map((issue) => describe(issue, isSecret))
    if (issues.length > mostIssues) wrong.push(`and ${issues.length - mostIssues} more`)
    throw refuse(`${name} is not valid: ${wrong.join('; ')}`, issues)
  }
  const fail = (cause: unknown): never => {
    const error = toPgflowError(cause)
    if (error === cause) throw error
    const what = isSecret ? kindOf(cause) : clip(error.message, mostText)
    throw refuse(`${name} could not be checked: ${what}`, cause)
  }
  try {
    const result = schema['~standard'].validate(value)
    return result instanceof Promise ? result.then(read).catch(fail) : read(result)
  } catch (thrown) {
    return fail(thrown)
  }
}

function describe(issue: StandardSchemaV1.Issue, isSecret: boolean): string {
  const keys = issue.path
    ?.slice(0, mostKeys)
    .map((segment) => String(typeof segment === 'object' ? segment.key : segment))
  const what = isSecret ? kindOf(issue) : clip(issue.message, mostText)
  return keys?.length ? `${clip(keys.join('.'), mostText / 2)}: ${what}` : what
}

/**
 * The kind of an issue or an error, in one word: `code` in zod and arktype, `type` in valibot,
 * `name` in errors. The message itself may quote the value.
 */
function kindOf(issue: unknown): string {
  if (typeof issue !== 'object' || issue === null) return 'invalid'
  try {
    const kinds = ['code', 'type', 'name'].map((field): unknown => Reflect.get(issue, field))
    const kind = kinds.find((value) => typeof value === 'string' && /^\w{1,40}$/.test(value))
    return typeof kind === 'string' ? kind : 'invalid'
  } catch {
    // A proxy, or a getter that throws.
    return 'invalid'
  }
}
