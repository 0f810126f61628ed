import type { SupabaseClient } from '@supabase/supabase-js'

/** A client of supabase-js, whatever the types of its database and its schema are. */
export type AnySupabaseClient = Pick<
  SupabaseClient,
  'auth' | 'channel' | 'getChannels' | 'realtime' | 'removeChannel'
> & {
  // Of every schema, as the client of a typed database takes only the names that it knows.
  schema: (name: never) => unknown
}

/** Whether this is a client of supabase-js: the types of databases are a matter of the compiler. */
export function isSupabaseClient(client: AnySupabaseClient): client is SupabaseClient {
  // A program without types can pass anything.
  const given: unknown = client
  return typeof given === 'object' && given !== null && 'realtime' in given
}
