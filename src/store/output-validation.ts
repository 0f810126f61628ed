import type { StandardSchemaV1 } from '@standard-schema/spec'
import { toPgflowError, type PgflowError } from '../errors.ts'
import { validate, type FlowSchemas } from '../flow-schemas.ts'
import type { Json, PgflowRun } from '../model/entities.ts'
import { ownValue } from '../model/own-value.ts'

/** What validating outputs needs. */
export interface OutputValidationContext {
  schemas: (flowSlug: string) => FlowSchemas | undefined
  report: (error: PgflowError) => void
  /** Stores the error of an output, unless the output was replaced meanwhile. */
  setError: (
    runId: string,
    stepSlug: string | null,
    output: Json | null,
    error: PgflowError | null,
  ) => void
}

/**
 * Validates outputs against the schemas of the app. The output itself stays unchanged in the store,
 * so that the state is plain data and nothing is lost.
 */
export function createOutputValidation({ schemas, report, setError }: OutputValidationContext) {
  function schemaOf(flowSlug: string, stepSlug: string | null): StandardSchemaV1 | undefined {
    const ofFlow = schemas(flowSlug)
    return stepSlug === null ? ofFlow?.output : ownValue(ofFlow?.steps ?? {}, stepSlug)
  }

  /** Throws `invalid_output`; synchronously if the schema is synchronous. */
  function examine(
    schema: StandardSchemaV1,
    { flow_slug, run_id }: PgflowRun,
    stepSlug: string | null,
    output: Json | null,
  ): unknown {
    const name = `The output of ${stepSlug === null ? '' : `step ${stepSlug} of `}${flow_slug}`
    const subject = { name, code: 'invalid_output', runId: run_id, isSecret: true } as const
    return validate(schema, output, subject)
  }

  /** Validates an output that was received. An error is stored and reported. */
  function check(run: PgflowRun, stepSlug: string | null, output: Json | null): void {
    const schema = schemaOf(run.flow_slug, stepSlug)
    if (!schema) return
    const keep = (error: PgflowError | null) => {
      setError(run.run_id, stepSlug, output, error)
      if (error) report(error)
    }
    try {
      const result = examine(schema, run, stepSlug, output)
      if (!(result instanceof Promise)) return keep(null)
      result.then(() => keep(null)).catch((error: unknown) => keep(toPgflowError(error)))
    } catch (error) {
      keep(toPgflowError(error))
    }
  }

  /**
   * Returns the run if its output is valid.
   * @throws PgflowError `invalid_output`
   */
  async function approve(run: PgflowRun): Promise<PgflowRun> {
    const schema = schemaOf(run.flow_slug, null)
    if (schema) await examine(schema, run, null, run.output)
    return run
  }

  return { check, approve }
}
