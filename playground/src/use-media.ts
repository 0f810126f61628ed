import { onScopeDispose, shallowRef, type ShallowRef } from 'vue'

/** Whether a media query holds, from now until the scope ends. */
export function useMedia(query: string): Readonly<ShallowRef<boolean>> {
  const media = matchMedia(query)
  const matches = shallowRef(media.matches)
  const update = () => {
    matches.value = media.matches
  }
  media.addEventListener('change', update)
  onScopeDispose(() => media.removeEventListener('change', update))
  return matches
}
