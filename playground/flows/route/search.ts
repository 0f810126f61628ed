import { lengthOf, reversed, type Tour } from './tour.ts'
import type { Place } from './places.ts'

/** The part of a handler's context that says when to stop. */
type StoppableContext = {
  shutdownSignal: AbortSignal
}

/** How long a search works without letting others have the processor, in ms, and then rests. */
const workMs = 4
const restMs = 30

/**
 * Looks for a shorter way round by simulated annealing: turns a piece of the way around, and keeps it
 * when that is shorter, or, ever more seldom, when it is only a little longer.
 * @param tour - where to begin: places by their index.
 * @param seconds - how long to look.
 * @param warmth - how willing it is at first to go a longer way: 0 takes only what is shorter.
 * @param random - from 0 to 1.
 */
export async function shorten(
  places: readonly Place[],
  tour: Tour,
  { seconds, warmth, random }: { seconds: number; warmth: number; random: () => number },
  { shutdownSignal }: StoppableContext,
): Promise<Tour> {
  const begin = performance.now()
  const reach = lengthOf(places, tour) / places.length
  let current = { tour, length: lengthOf(places, tour) }
  let best = current
  for (;;) {
    const spent = (performance.now() - begin) / (seconds * 1_000)
    if (spent >= 1) return best.tour
    if (shutdownSignal.aborted) throw new Error('The worker is stopping.')
    const temperature = reach * warmth * (1 - spent) ** 2
    const until = performance.now() + workMs
    while (performance.now() < until) {
      const next = reversed(current.tour, random)
      const length = lengthOf(places, next)
      const isTaken =
        length < current.length || random() < Math.exp((current.length - length) / temperature)
      if (isTaken) current = { tour: next, length }
      if (current.length < best.length) best = current
    }
    await new Promise((resolve) => setTimeout(resolve, restMs))
  }
}

/** Numbers from 0 to 1 that are the same for the same seed. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
