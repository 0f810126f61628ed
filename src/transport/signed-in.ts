import type { SupabaseClient } from '@supabase/supabase-js'
import type { Scheduler } from '../model/scheduler.ts'

/**
 * The id of the user whom Realtime joins as: the `sub` of the token it uses, whether that comes
 * from a session or from the client's `accessToken` option. Null when nobody is signed in.
 */
export async function signedInUser(supabase: SupabaseClient): Promise<string | null> {
  await supabase.realtime.setAuth()
  return subjectOf(supabase.realtime.accessTokenValue ?? '')
}

/**
 * Calls `onChange` when somebody else is signed in, or nobody. Another token of the same user is no
 * change. A client with the `accessToken` option tells nobody who is signed in.
 */
export function watchSignedIn(
  supabase: SupabaseClient,
  scheduler: Scheduler,
  onChange: () => void,
): () => void {
  // With the `accessToken` option `auth` has nothing, and throws when it is read.
  if (!('onAuthStateChange' in supabase.auth)) return () => {}
  let known: string | null | undefined
  let cancel = () => {}
  const { data } = supabase.auth.onAuthStateChange((event, session) => {
    const user = session?.user.id ?? null
    const isFirst = known === undefined && event === 'INITIAL_SESSION'
    const isChange = user !== known && !isFirst
    known = user
    if (!isChange) return
    // Later: the client is locked while it tells of the change, and nobody may call it meanwhile.
    cancel()
    cancel = scheduler.after(0, onChange)
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
