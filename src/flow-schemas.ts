import type { StandardSchemaV1 } from '@standard-schema/spec'
import { PgflowError, type PgflowErrorCode } from './errors.ts'
import type { AnyFlow, FlowInput, StepSlug } from './flow-types.ts'
import type { Json } from './model/entities.ts'
import { clip } from './model/text.ts'

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
  /** Whether the value is not to be told: then only where it is wrong is, and in which way. */
  isSecret?: boolean
}

/** A message is kept in the state, and may be shown: its length is bounded, whatever the value is. */
const mostIssues = 3
const mostKeys = 20
const mostText = 200

/**
 * What the schema makes of a value: at once if it can tell at once, else a promise of it.
 * @throws PgflowError of the subject's code, which names what is wrong.
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
    if (cause instanceof PgflowError) throw cause
    throw refuse(
      `${name} could not be checked: ${isSecret ? kindOf(cause) : clip(String(cause), mostText)}`,
      cause,
    )
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
 * Of which kind an issue or an error is, in one word: `code` as zod and arktype name it, `type` as
 * valibot, `name` as errors. Its message may quote the value.
 */
function kindOf(issue: unknown): string {
  if (typeof issue !== 'object' || issue === null) return 'invalid'
  const kinds = ['code', 'type', 'name'].map((field): unknown => Reflect.get(issue, field))
  const kind = kinds.find((value) => typeof value === 'string' && /^\w{1,40}$/.test(value))
  return typeof kind === 'string' ? kind : 'invalid'
}
