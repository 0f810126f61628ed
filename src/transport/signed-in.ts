import type { SupabaseClient } from '@supabase/supabase-js'
import type { Scheduler } from '../model/scheduler.ts'
import { refreshToken } from './access-token.ts'
import type { SessionChange } from './types.ts'

/** How often the token that Realtime holds is compared, in ms. This sends no request. */
const lookEvery = 5_000

/**
 * The id of the user as whom Realtime joins: the `sub` of its token, from the session or from the
 * client's `accessToken` option. Null when nobody is signed in.
 * @throws PgflowError `timeout`
 */
export async function signedInUser(
  supabase: SupabaseClient,
  scheduler: Scheduler,
): Promise<string | null> {
  await refreshToken(supabase, scheduler)
  return subjectOf(supabase.realtime.accessTokenValue ?? '')
}

/**
 * Calls `onChange` when another user is signed in, or nobody, and when the same user has another
 * token. A client with the `accessToken` option has no event for that: it is noticed some time
 * after Realtime has fetched the token, as it does with every heartbeat.
 */
export function watchSession(
  supabase: SupabaseClient,
  scheduler: Scheduler,
  onChange: (change: SessionChange) => void,
): () => void {
  let known: { user: string | null; token: string } | undefined
  let waiting: SessionChange | undefined
  let cancel = () => {}
  const note = (token: string, isFirst: boolean): void => {
    const before = known
    known = { user: subjectOf(token), token }
    if (isFirst || token === before?.token) return
    // A change of user must not be replaced by a new token of that user a moment later.
    if (known.user !== before?.user) waiting = 'user'
    waiting ??= 'token'
    // Later: the client is locked while it emits the event, and must not be called meanwhile.
    cancel()
    cancel = scheduler.after(0, () => {
      const change = waiting
      waiting = undefined
      if (change) onChange(change)
    })
  }
  const stop = watchTokens(supabase, scheduler, note)
  return () => {
    cancel()
    stop()
  }
}

/** Notes a token, and whether it was there before. */
function watchTokens(
  supabase: SupabaseClient,
  scheduler: Scheduler,
  note: (token: string, isFirst: boolean) => void,
): () => void {
  let isFirst = true
  // With the `accessToken` option, reading `auth` throws.
  if ('onAuthStateChange' in supabase.auth) {
    const { data } = supabase.auth.onAuthStateChange((event, session) => {
      note(session?.access_token ?? '', isFirst && event === 'INITIAL_SESSION')
      isFirst = false
    })
    return () => data.subscription.unsubscribe()
  }
  const look = (): void => {
    cancel = scheduler.after(lookEvery, look)
    const token = supabase.realtime.accessTokenValue ?? ''
    // A missing token for a moment does not mean a sign-out.
    if (!isFirst && subjectOf(token) === null) return
    note(token, isFirst)
    isFirst = false
  }
  // The first token is being fetched.
  let cancel = scheduler.after(lookEvery, look)
  return () => cancel()
}

/** The `sub` of a JWT; null for the API key, and for other texts. */
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
