import { connect } from '../../support/backend.ts'
import type { Gateway } from './gateway.ts'

/**
 * The cookie of somebody who was signed in until a minute ago, as `@supabase/ssr` writes it: the
 * next server that reads it renews the token.
 */
export async function expiredSession(gateway: Gateway, email: string): Promise<string> {
  const supabase = connect({ url: gateway.url, anonKey: gateway.backend.anonKey })
  const { data, error } = await supabase.auth.signUp({ email, password: 'password' })
  if (error) throw error
  const expires_at = Math.floor(Date.now() / 1000) - 60
  const session = JSON.stringify({ ...data.session, expires_at })
  return `sb-127-auth-token=base64-${Buffer.from(session).toString('base64url')}`
}
