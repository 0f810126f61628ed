/** Whether somebody can see the page, and whether it has a network. */
export interface PageActivity {
  isVisible: () => boolean
  isOnline: () => boolean
  /** Calls `onChange` when either changes; the returned function stops that. */
  watch: (onChange: () => void) => () => void
}

/** The browser's word for it; without a browser the page is always visible and online. */
export function browserPageActivity(): PageActivity {
  if (typeof window === 'undefined' || typeof document === 'undefined') {
    return { isVisible: () => true, isOnline: () => true, watch: () => () => {} }
  }
  return {
    isVisible: () => document.visibilityState !== 'hidden',
    isOnline: () => navigator.onLine,
    watch(onChange) {
      const targets = [
        [document, 'visibilitychange'],
        [window, 'online'],
        [window, 'offline'],
      ] as const
      for (const [target, name] of targets) target.addEventListener(name, onChange)
      return () => {
        for (const [target, name] of targets) target.removeEventListener(name, onChange)
      }
    },
  }
}
