import type { SupabaseClient } from '@supabase/supabase-js'
import { PgflowError } from '../errors.ts'
import { apiSchema } from './schemas.ts'

/** What `pgflow_client.api_version()` returns of the migration that this package is written for. */
const ownVersion = 2

/**
 * A failure that may come from a package and a migration of different versions, with the side that
 * is to be upgraded as its hint. For developers: it asks the database once more.
 */
export async function explainVersions(
  supabase: SupabaseClient,
  failure: PgflowError,
  signal: AbortSignal,
): Promise<PgflowError> {
  const { code, message, cause } = failure
  if (code !== 'malformed_reply' && code !== 'not_migrated') return failure
  const { data, error } = await supabase.schema(apiSchema).rpc('api_version').abortSignal(signal)
  // The first edition has no such function.
  const version = error?.code === 'PGRST202' ? 1 : Number(data)
  if (version === ownVersion || !Number.isInteger(version)) return failure
  const hint =
    version < ownVersion
      ? 'The database lacks the migration of this package, or has an older one: run the newest.'
      : 'This package is older than the migration in the database: upgrade pinia-pgflow.'
  return new PgflowError(code, message, { cause, hint })
}
