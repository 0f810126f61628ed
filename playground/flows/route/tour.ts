import type { Place } from './places.ts'

/** A way through all places and back, by their index. */
export type Tour = number[]

/** How long a way is, the way back included. */
export function lengthOf(places: readonly Place[], tour: Tour): number {
  return tour.reduce((sum, place, index) => {
    return sum + distance(places[place], places[tour[(index + 1) % tour.length] ?? 0])
  }, 0)
}

/** How far two places are apart. */
export function distance(one?: Place, other?: Place): number {
  return one && other ? Math.hypot(one.x - other.x, one.y - other.y) : 0
}

/** The way with one piece of it turned around. */
export function reversed(tour: Tour, random: () => number): Tour {
  const ends = [random(), random()].map((part) => Math.floor(part * tour.length))
  const [from, to] = [Math.min(...ends), Math.max(...ends)]
  return [...tour.slice(0, from), ...tour.slice(from, to + 1).reverse(), ...tour.slice(to + 1)]
}

/** Another way for each seed. */
export function shuffled(count: number, random: () => number): Tour {
  const tour = Array.from({ length: count }, (_, index) => index)
  for (let index = count - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1))
    const [one, two] = [tour[index] ?? 0, tour[other] ?? 0]
    tour[index] = two
    tour[other] = one
  }
  return tour
}
