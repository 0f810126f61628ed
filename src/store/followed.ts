import { shallowReactive } from 'vue'
import type { ListConnection, RunConnection } from '../model/entities.ts'

/** The connection of a run or a list. */
export type FollowedConnection = RunConnection | ListConnection

/** The runs (by id) and lists (by key) that this app observes. */
export type Followed = ReturnType<typeof createFollowed>

/**
 * Counts the observers of each run and list. Only `connections` is reactive: adding an observer has
 * no reactive dependencies.
 */
export function createFollowed() {
  const observers = new Map<string, number>()
  const connections = shallowReactive(new Map<string, () => FollowedConnection | undefined>())

  function count(key: string, change: number): number {
    const now = (observers.get(key) ?? 0) + change
    observers.set(key, now)
    return now
  }

  return {
    /** Returns the connection of a run or list. */
    connections,
    /** The observation of a run or list, counted until it is released. */
    add<Observation extends { release: () => void }>(
      key: string,
      observation: Observation,
      connection: () => FollowedConnection | undefined,
    ): Observation {
      let isHeld = true
      if (count(key, 1) === 1) connections.set(key, connection)
      return {
        ...observation,
        release: () => {
          observation.release()
          if (isHeld && count(key, -1) === 0) {
            observers.delete(key)
            connections.delete(key)
          }
          isHeld = false
        },
      }
    },
  }
}
