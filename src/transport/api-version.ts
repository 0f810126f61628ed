import type { SupabaseClient } from '@supabase/supabase-js'
import { PgflowError } from '../errors.ts'
import { apiSchema } from './schemas.ts'

/** The result of `pgflow_client.api_version()` with the migration of this package. */
const ownVersion = 2

/**
 * Wraps a call: if it fails because package and migration have different versions, the error says
 * which one to upgrade. Only in development: it sends one more request.
 */
export function explaining<Given extends [SupabaseClient, ...unknown[]], Result>(
  call: (...given: Given) => Promise<Result>,
): (...given: Given) => Promise<Result> {
  return async (...given) => {
    const [supabase] = given
    const signal = given.find((value) => value instanceof AbortSignal)
    let version: Promise<unknown> | undefined
    const ask = () => (version ??= readVersion(supabase, signal))
    try {
      const result = await call(...given)
      // Errors of single runs.
      const results: unknown = result
      if (results instanceof Map) await explainEach(results, ask)
      return result
    } catch (thrown) {
      throw thrown instanceof PgflowError ? await explain(thrown, ask) : thrown
    }
  }
}

async function explainEach(results: Map<unknown, unknown>, ask: () => Promise<unknown>) {
  for (const [id, result] of results) {
    if (result instanceof PgflowError) results.set(id, await explain(result, ask))
  }
}

async function readVersion(supabase: SupabaseClient, signal?: AbortSignal): Promise<unknown> {
  const request = supabase.schema(apiSchema).rpc('api_version')
  const reply = await (signal ? request.abortSignal(signal) : request)
  // The first edition has no such function.
  return reply.error?.code === 'PGRST202' ? 1 : reply.data
}

async function explain(failure: PgflowError, ask: () => Promise<unknown>): Promise<PgflowError> {
  const { code, message, cause, runId } = failure
  if (code !== 'malformed_reply' && code !== 'not_migrated') return failure
  const version = await ask()
  if (version === ownVersion || typeof version !== 'number') return failure
  const hint =
    version < ownVersion
      ? 'The database lacks the migration of this package, or has an older one: run the newest.'
      : 'This package is older than the migration in the database: upgrade pinia-pgflow.'
  return new PgflowError(code, message, { cause, hint, runId })
}
