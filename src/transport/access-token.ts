import type { SupabaseClient } from '@supabase/supabase-js'
import { PgflowError } from '../errors.ts'
import type { Scheduler } from '../model/scheduler.ts'

/** How long a token may take to come, in ms. */
const longestWait = 10_000

/** The newest request of each client: what it sets, no earlier one replaces. */
const newest = new WeakMap<SupabaseClient, Promise<void>>()

/**
 * Lets Realtime ask for the token that joins are made with: the app's `accessToken`, or the session.
 * Either may take its time, or never answer.
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
    // supabase-js takes no token but that of the newest request.
    await request
  } while (request !== newest.get(supabase))
}
