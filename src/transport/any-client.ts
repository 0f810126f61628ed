import type { SupabaseClient } from '@supabase/supabase-js'

/** A client of supabase-js, whatever the types of its database and its schema. */
export type AnySupabaseClient = Pick<
  SupabaseClient,
  'auth' | 'channel' | 'getChannels' | 'realtime' | 'removeChannel'
> & {
  // A client with a typed database accepts only the names of its own schemas.
  schema: (name: never) => unknown
}

/** Whether a value is a client of supabase-js. The types of its database do not matter. */
export function isSupabaseClient(client: AnySupabaseClient): client is SupabaseClient {
  // Callers without TypeScript can pass anything.
  const given: unknown = client
  return typeof given === 'object' && given !== null && 'realtime' in given
}
