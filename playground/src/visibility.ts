import { inject, type InjectionKey } from 'vue'
import { isEmbedded, type PlaygroundClient } from './supabase.ts'

/** Who may see a run: whoever knows its id, or the user who started it. */
export type Visibility = 'public' | 'private'

/** The visibility that the page was started with. */
export const visibilityKey: InjectionKey<Visibility> = Symbol('visibility')

/** The visibility that `main.ts` provides. */
export function useVisibility(): Visibility {
  return inject(visibilityKey, 'public')
}

/**
 * Asks the embedded database which visibility it has. A project of one's own does not tell that to
 * visitors: there, `VITE_PGFLOW_PRIVATE=true` says so.
 */
export async function readVisibility(supabase: PlaygroundClient): Promise<Visibility> {
  if (!isEmbedded) return import.meta.env.VITE_PGFLOW_PRIVATE === 'true' ? 'private' : 'public'
  const { data } = await supabase.rpc('playground_visibility')
  return data === 'private' ? 'private' : 'public'
}

/**
 * Changes the visibility of the embedded database, for everybody.
 * @throws Error when the database does not.
 */
export async function changeVisibility(
  supabase: PlaygroundClient,
  visibility: Visibility,
): Promise<void> {
  const { error } = await supabase.rpc('set_playground_visibility', { p_visibility: visibility })
  if (error) throw new Error(error.message)
}
