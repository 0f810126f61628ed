import type { AuthError, Session } from '@supabase/supabase-js'
import { defineStore } from 'pinia'
import { computed, onScopeDispose, shallowRef } from 'vue'
import { useSupabase, type PlaygroundClient } from './supabase.ts'

/** What somebody types to sign up or in. */
export interface Credentials {
  email: string
  password: string
}

/** Signs in a guest where nobody is signed in: a list of runs is always that of somebody. */
export async function ensureGuest(supabase: PlaygroundClient): Promise<void> {
  const { data } = await supabase.auth.getSession()
  if (!data.session) await supabase.auth.signInAnonymously()
}

/** Who is signed in, and how to change that. Each action resolves to what went wrong, or null. */
export const useAccount = defineStore('account', () => {
  const { auth } = useSupabase()
  const session = shallowRef<Session | null>(null)
  const user = computed(() => session.value?.user ?? null)
  /** What to call whoever is signed in. */
  const name = computed(() => {
    if (!user.value) return 'Not signed in'
    if (user.value.is_anonymous) return `Guest ${user.value.id.slice(0, 4)}`
    return user.value.email ?? user.value.id
  })
  const isGuest = computed(() => user.value?.is_anonymous === true)
  const { data } = auth.onAuthStateChange((_event, now) => {
    session.value = now
  })
  onScopeDispose(() => data.subscription.unsubscribe())

  const signUp = async (credentials: Credentials) => {
    const { data: made, error } = await auth.signUp(credentials)
    if (error) return problemOf(error)
    return made.session ? null : 'Open the link in the mail that was sent to you, then sign in.'
  }
  const signIn = async (credentials: Credentials) =>
    problemOf((await auth.signInWithPassword(credentials)).error)
  const signInAsGuest = async () => problemOf((await auth.signInAnonymously()).error)
  const signOut = async () => problemOf((await auth.signOut({ scope: 'local' })).error)

  return { user, name, isGuest, signUp, signIn, signInAsGuest, signOut }
})

const problems = new Map<string, string>([
  ['invalid_credentials', 'There is no account with this email address and password.'],
  ['user_already_exists', 'There is an account with this email address. Sign in to it.'],
  ['weak_password', 'The password is too short: at least 6 characters.'],
  ['anonymous_provider_disabled', 'This project lets no guests in. Sign up or sign in.'],
  ['signup_disabled', 'This project takes no new accounts.'],
])

function problemOf(error: AuthError | null): string | null {
  return error ? (problems.get(error.code ?? '') ?? error.message) : null
}
