import { shallowReactive } from 'vue'

/** Which runs (by id) and lists (by key) somebody in this app observes. */
export type Followed = ReturnType<typeof createFollowed>

/** Counts the observers of each run and list. Only `keys` is reactive: to add one reads nothing. */
export function createFollowed() {
  const observers = new Map<string, number>()
  const keys = shallowReactive(new Set<string>())

  function count(key: string, change: number): void {
    const now = (observers.get(key) ?? 0) + change
    observers.set(key, now)
    if (now > 0) return void keys.add(key)
    observers.delete(key)
    keys.delete(key)
  }

  return {
    keys,
    /** The observation of a run or list, counted until it is released. */
    add<Observation extends { release: () => void }>(
      key: string,
      observation: Observation,
    ): Observation {
      let isHeld = true
      count(key, 1)
      return {
        ...observation,
        release: () => {
          observation.release()
          if (isHeld) count(key, -1)
          isHeld = false
        },
      }
    },
  }
}
