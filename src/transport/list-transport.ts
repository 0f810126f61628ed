import { explaining } from './api-version.ts'
import { callListRuns } from './list-rpc.ts'
import { plainRpc } from './plain.ts'
import { plainSchema } from './schemas.ts'
import type { ListTransport, SupabaseConnection } from './types.ts'
import { openUserFeed } from './user-feed.ts'

/** The transport of lists over a Supabase client. Only in the bundles of apps that show lists. */
export function createListTransport(connection: SupabaseConnection): ListTransport {
  const { supabase, scheduler, schema, isPrivate } = connection
  const isPlain = schema === plainSchema
  const list = process.env.NODE_ENV === 'production' ? callListRuns : explaining(callListRuns)
  return {
    listRuns: isPlain
      ? async (...given) => (await plainRpc()).listPlainRuns(supabase, ...given)
      : (...given) => list(supabase, ...given),
    // Only this project's SQL sends on the channel of a user.
    openFeed:
      isPrivate && !isPlain ? (handlers) => openUserFeed(supabase, scheduler, handlers) : null,
  }
}
