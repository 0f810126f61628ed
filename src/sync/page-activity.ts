/** Whether the page is visible, and whether the browser is online. */
export interface PageActivity {
  isVisible: () => boolean
  isOnline: () => boolean
  /** Calls `onChange` when either changes. The returned function removes the listener. */
  watch: (onChange: () => void) => () => void
}

/** As the browser reports it. Without a browser the page is always visible and online. */
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
