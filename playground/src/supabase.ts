import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import { inject, type InjectionKey } from 'vue'

const { VITE_SUPABASE_URL, VITE_SUPABASE_ANON_KEY } = import.meta.env

/** What the page itself calls besides pinia-pgflow; see `playground/visibility.ts`. */
interface Database {
  public: {
    Tables: Record<string, never>
    Views: Record<string, never>
    Functions: {
      playground_visibility: { Args: never; Returns: string }
      set_playground_visibility: { Args: { p_visibility: string }; Returns: undefined }
    }
  }
}

/** The client of the playground. */
export type PlaygroundClient = SupabaseClient<Database>

/** Whether the embedded backend serves this page, and not a project of its own. */
export const isEmbedded = !VITE_SUPABASE_URL

const storagePrefix = 'pinia-pgflow-playground-auth-'

/** The client of the project, or of the embedded backend. */
export function createPlaygroundClient(): PlaygroundClient {
  if (!isEmbedded) return createClient<Database>(VITE_SUPABASE_URL ?? '', VITE_SUPABASE_ANON_KEY)
  // The embedded backend makes new keys each time it starts: sessions of before are worth nothing.
  const storageKey = storagePrefix + VITE_SUPABASE_ANON_KEY.slice(-16)
  forgetOtherSessions(storageKey)
  return createClient<Database>(location.origin, VITE_SUPABASE_ANON_KEY, { auth: { storageKey } })
}

function forgetOtherSessions(kept: string): void {
  try {
    Object.keys(localStorage)
      .filter((key) => key.startsWith(storagePrefix) && !key.startsWith(kept))
      .forEach((key) => localStorage.removeItem(key))
  } catch {
    // A browser without storage has nothing to forget.
  }
}

/** Where components find the client. */
export const supabaseKey: InjectionKey<PlaygroundClient> = Symbol('supabase')

/** The client that `main.ts` provides. */
export function useSupabase(): PlaygroundClient {
  const supabase = inject(supabaseKey)
  if (!supabase) throw new Error('main.ts provides no Supabase client')
  return supabase
}
