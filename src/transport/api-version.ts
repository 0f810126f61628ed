import type { SupabaseClient } from '@supabase/supabase-js'
import { PgflowError } from '../errors.ts'
import { apiSchema } from './schemas.ts'

/** What `pgflow_client.api_version()` returns of the migration that this package is written for. */
const ownVersion = 2

/**
 * The same call, whose failures say which side is to be upgraded where package and migration are of
 * different versions. For developers: it asks the database once more.
 */
export function explaining<Given extends [SupabaseClient, ...unknown[]], Answer>(
  call: (...given: Given) => Promise<Answer>,
): (...given: Given) => Promise<Answer> {
  return async (...given) => {
    const [supabase] = given
    const signal = given.find((value) => value instanceof AbortSignal)
    let version: Promise<unknown> | undefined
    const ask = () => (version ??= readVersion(supabase, signal))
    try {
      const answer = await call(...given)
      // What is wrong with single runs.
      const results: unknown = answer
      if (results instanceof Map) await explainEach(results, ask)
      return answer
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
