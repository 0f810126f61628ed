import type { SupabaseClient } from '@supabase/supabase-js'
import type { Scheduler } from '../model/scheduler.ts'
import type { SessionChange } from './types.ts'

/**
 * The id of the user whom Realtime joins as: the `sub` of the token it uses, whether that comes
 * from a session or from the client's `accessToken` option. Null when nobody is signed in.
 */
export async function signedInUser(supabase: SupabaseClient): Promise<string | null> {
  await supabase.realtime.setAuth()
  return subjectOf(supabase.realtime.accessTokenValue ?? '')
}

/**
 * Calls `onChange` when somebody else is signed in, or nobody, and when the same user has another
 * token. A client with the `accessToken` option tells nothing of this.
 */
export function watchSession(
  supabase: SupabaseClient,
  scheduler: Scheduler,
  onChange: (change: SessionChange) => void,
): () => void {
  // With the `accessToken` option `auth` has nothing, and throws when it is read.
  if (!('onAuthStateChange' in supabase.auth)) return () => {}
  let known: { user: string | null; token: string } | undefined
  let waiting: SessionChange | undefined
  let cancel = () => {}
  const tell = (): void => {
    const change = waiting
    waiting = undefined
    if (change) onChange(change)
  }
  const { data } = supabase.auth.onAuthStateChange((event, session) => {
    const token = session?.access_token ?? ''
    const before = known
    known = { user: subjectOf(token), token }
    if (token === before?.token || (!before && event === 'INITIAL_SESSION')) return
    // Another user counts for more than the token that they have a moment later.
    if (known.user !== before?.user) waiting = 'user'
    else waiting ??= 'token'
    // Later: the client is locked while it tells of the change, and nobody may call it meanwhile.
    cancel()
    cancel = scheduler.after(0, tell)
  })
  return () => {
    cancel()
    data.subscription.unsubscribe()
  }
}

/** The `sub` of a JWT; null for the API key, and for what is no JWT. */
function subjectOf(token: string): string | null {
  try {
    const base64 = (token.split('.')[1] ?? '').replaceAll('-', '+').replaceAll('_', '/')
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0))
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes))
    if (typeof claims !== 'object' || claims === null || !('sub' in claims)) return null
    return typeof claims.sub === 'string' ? claims.sub : null
  } catch {
    return null
  }
}
