import type { SupabaseClient } from '@supabase/supabase-js'
import { PgflowError } from '../errors.ts'
import type { Scheduler } from '../model/scheduler.ts'

/** How long fetching a token may take, in ms. */
const longestWait = 10_000

/** The newest request of each client. An earlier one must not replace its token. */
const newest = new WeakMap<SupabaseClient, Promise<void>>()

/**
 * Makes Realtime fetch the token for joins: from the app's `accessToken`, or from the session.
 * Either may be slow, or never resolve.
 * @throws PgflowError `timeout`
 */
export function refreshToken(supabase: SupabaseClient, scheduler: Scheduler): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = scheduler.after(longestWait, () => {
      reject(new PgflowError('timeout', 'The access token did not come in time.'))
    })
    void askForToken(supabase).then(resolve, reject).finally(cancel)
  })
}

async function askForToken(supabase: SupabaseClient): Promise<void> {
  let request: Promise<void> | undefined = supabase.realtime.setAuth()
  newest.set(supabase, request)
  do {
    request = newest.get(supabase)
    // supabase-js uses only the token of the newest request.
    await request
  } while (request !== newest.get(supabase))
}
