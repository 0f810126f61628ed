/** Who is signed in. */
export interface Session {
  user: () => string | null
  become: (user: string | null) => void
  watch: (onChange: () => void) => () => void
}

/** A session that a test decides. */
export function createSession(initial: string | null): Session {
  const watchers = new Set<() => void>()
  let user = initial
  return {
    user: () => user,
    become(next) {
      if (next === user) return
      user = next
      for (const watcher of watchers) watcher()
    },
    watch(onChange) {
      const watcher = () => onChange()
      watchers.add(watcher)
      return () => void watchers.delete(watcher)
    },
  }
}
