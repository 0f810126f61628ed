import type { SessionChange } from '../transport/types.ts'

/** Who is signed in. */
export interface Session {
  user: () => string | null
  become: (user: string | null) => void
  /** The same user has another token. */
  renew: () => void
  watch: (onChange: (change: SessionChange) => void) => () => void
}

/** A session that a test decides. */
export function createSession(initial: string | null): Session {
  const watchers = new Set<(change: SessionChange) => void>()
  const tell = (change: SessionChange) => {
    for (const watcher of [...watchers]) watcher(change)
  }
  let user = initial
  return {
    user: () => user,
    become(next) {
      if (next === user) return
      user = next
      tell('user')
    },
    renew: () => tell('token'),
    watch(onChange) {
      const watcher = (change: SessionChange) => onChange(change)
      watchers.add(watcher)
      return () => void watchers.delete(watcher)
    },
  }
}
