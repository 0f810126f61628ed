import { shallowReactive } from 'vue'
import type { ListConnection, RunConnection } from '../model/entities.ts'

/** What a run or a list says of its connection. */
export type FollowedConnection = RunConnection | ListConnection

/** Which runs (by id) and lists (by key) somebody in this app observes. */
export type Followed = ReturnType<typeof createFollowed>

/**
 * Counts the observers of each run and list. Only `connections` is reactive: to add one reads
 * nothing.
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
    /** How to read the connection of each. */
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
