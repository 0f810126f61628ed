import type { SupabaseClient } from '@supabase/supabase-js'
import type { Scheduler } from '../model/scheduler.ts'
import { refreshToken } from './access-token.ts'
import type { SessionChange } from './types.ts'

/**
 * The id of the user whom Realtime joins as: the `sub` of the token it uses, whether that comes
 * from a session or from the client's `accessToken` option. Null when nobody is signed in.
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
 * Calls `onChange` when somebody else is signed in, or nobody, and when the same user has another
 * token. A client with the `accessToken` option does not tell: there it is noticed a while after
 * Realtime has asked for the token, as it does with every heartbeat.
 */
export function watchSession(
  supabase: SupabaseClient,
  scheduler: Scheduler,
  onChange: (change: SessionChange) => void,
): () => void {
  // With the `accessToken` option `auth` has nothing, and throws when it is read.
  const watch = 'onAuthStateChange' in supabase.auth ? watchAuth : watchToken
  return watch(supabase, scheduler, onChange)
}

const watchAuth: typeof watchSession = (supabase, scheduler, onChange) => {
  let known: Identity | undefined
  let waiting: SessionChange | undefined
  let cancel = () => {}
  const tell = (): void => {
    const change = waiting
    waiting = undefined
    if (change) onChange(change)
  }
  const { data } = supabase.auth.onAuthStateChange((event, session) => {
    const before = known
    known = identityOf(session?.access_token)
    if (known.token === before?.token || (!before && event === 'INITIAL_SESSION')) return
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

/** How often the token of Realtime is looked at, in ms. Nothing is asked for that. */
const lookEvery = 5_000

const watchToken: typeof watchSession = (supabase, scheduler, onChange) => {
  let known: Identity | undefined
  let cancel = () => {}
  const look = (): void => {
    cancel = scheduler.after(lookEvery, look)
    const before = known
    const now = identityOf(supabase.realtime.accessTokenValue)
    // No token for a moment does not mean that somebody has left.
    if (before && (now.user === null || now.token === before.token)) return
    known = now
    if (before) onChange(before.user === null || now.user === before.user ? 'token' : 'user')
  }
  // The first token is on its way.
  cancel = scheduler.after(lookEvery, look)
  return () => cancel()
}

interface Identity {
  user: string | null
  token: string
}

function identityOf(token: string | null | undefined): Identity {
  return { user: subjectOf(token ?? ''), token: token ?? '' }
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
