import type { StandardSchemaV1 } from '@standard-schema/spec'
import { PgflowError, toPgflowError, type PgflowErrorCode } from './errors.ts'
import type { AnyFlow, FlowInput, FlowOf, FlowSlug, StepSlug } from './flow-types.ts'
import type { Json, PgflowRun } from './model/entities.ts'
import { ownValue } from './model/own-value.ts'
import { clip } from './model/text.ts'

/**
 * The schemas of a flow's values, from any library that implements Standard Schema (valibot, zod,
 * arktype, …).
 *
 * @example
 * const flows = flowSchemas({
 *   analyze_text: {
 *     input: v.object({ text: v.pipe(v.string(), v.minLength(1)) }),
 *     steps: { words: v.array(v.string()) },
 *   },
 * })
 */
export interface FlowSchemas<Flow extends AnyFlow = AnyFlow> {
  /** Validates the input before a start. The flow receives the value that it returns. */
  input?: StandardSchemaV1<unknown, Json extends FlowInput<Flow> ? unknown : FlowInput<Flow>>
  /** Validates the output of a run when it is received. */
  output?: StandardSchemaV1
  /** Validate the outputs of steps when they are received, by step slug. */
  steps?: Partial<Record<StepSlug<Flow>, StandardSchemaV1>>
}

/** The schemas of flows by their slug. */
export type FlowSchemasBySlug = { [Slug in FlowSlug]?: FlowSchemas<FlowOf<Slug>> }

/**
 * Validates inputs and outputs of flows: what `flowSchemas` returns. Its methods are called by the
 * library only, and may change.
 */
export interface FlowValidation {
  /**
   * The input as its schema returns it; a promise only if the schema is asynchronous.
   * @throws PgflowError `invalid_input`
   */
  validInput(flowSlug: string, input: Json, runId: string): unknown
  /** Validates an output that was received, and calls `onResult` with its error, or with null. */
  checkOutput(
    run: PgflowRun,
    stepSlug: string | null,
    output: Json | null,
    onResult: (error: PgflowError | null) => void,
  ): void
  /**
   * Resolves if the output of a completed run is valid.
   * @throws PgflowError `invalid_output`
   */
  approve(run: PgflowRun): Promise<void>
}

/**
 * The schemas of inputs and outputs, by flow slug, for the option `flows` of `createPgflow`. A
 * function, so that apps without schemas do not have the code that validates.
 *
 * @throws PgflowError `invalid_options` if the schemas are not an object.
 * @example
 * createPgflow({
 *   supabase,
 *   flows: flowSchemas({ analyze_text: { input: v.object({ text: v.string() }) } }),
 * })
 */
export function flowSchemas(flows: FlowSchemasBySlug): FlowValidation {
  // Callers without TypeScript can pass anything.
  if (Object(flows) !== flows) {
    throw new PgflowError('invalid_options', 'The schemas of flows are an object.')
  }
  const ofFlow = (slug: string): FlowSchemas | undefined => ownValue(flows, slug)

  function schemaOf({ flow_slug }: PgflowRun, stepSlug: string | null) {
    const schemas = ofFlow(flow_slug)
    return stepSlug === null ? schemas?.output : ownValue(schemas?.steps ?? {}, stepSlug)
  }

  /** Throws `invalid_output`; synchronously if the schema is synchronous. */
  function examine(
    schema: StandardSchemaV1,
    { flow_slug, run_id: runId }: PgflowRun,
    stepSlug: string | null,
    output: Json | null,
  ): unknown {
    const name = `The output of ${stepSlug === null ? '' : `step ${stepSlug} of `}${flow_slug}`
    return validate(schema, output, { name, code: 'invalid_output', runId, isSecret: true })
  }

  return {
    validInput(flowSlug, input, runId) {
      const schema = ofFlow(flowSlug)?.input
      const name = `The input of ${flowSlug}`
      return schema ? validate(schema, input, { name, code: 'invalid_input', runId }) : input
    },
    checkOutput(run, stepSlug, output, onResult) {
      const schema = schemaOf(run, stepSlug)
      if (!schema) return
      const fail = (error: unknown) => onResult(toPgflowError(error))
      try {
        const result = examine(schema, run, stepSlug, output)
        if (!(result instanceof Promise)) return onResult(null)
        result.then(() => onResult(null)).catch(fail)
      } catch (error) {
        fail(error)
      }
    },
    async approve(run) {
      const schema = schemaOf(run, null)
      if (schema) await examine(schema, run, null, run.output)
    },
  }
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
