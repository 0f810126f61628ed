import { counted, formatNumber, formatShare } from '../format.ts'
import { round } from '../text/words.ts'
import type { Place } from './places.ts'
import { distance, lengthOf, type Tour } from './tour.ts'

/** The way to take. */
export type Itinerary = {
  headline: string
  length: number
  stops: { place: string; distance: number }[]
}

/** Writes up the shortest of several ways, from the first place of the table on. */
export function writeItinerary(places: readonly Place[], tour: Tour): Itinerary {
  const first = tour.indexOf(0)
  const way = [...tour.slice(first), ...tour.slice(0, first)]
  const asListed = places.map((_, index) => index)
  const [length, before] = [lengthOf(places, way), lengthOf(places, asListed)]
  const saved =
    length < before
      ? `${formatShare(before - length, before)} shorter than in the order of the table`
      : 'as short as in the order of the table'
  return {
    headline: `${counted(places.length, 'stop')} over ${formatNumber(length)}: ${saved}.`,
    length: round(length, 2),
    stops: way.map((index, position) => ({
      place: places[index]?.name ?? '',
      distance: round(distance(places[index], places[way[position - 1] ?? -1]), 2),
    })),
  }
}

/** The shortest of several ways. */
export function shortestOf(places: readonly Place[], tours: readonly Tour[]): Tour {
  const [first = [], ...rest] = tours
  return rest.reduce(
    (best, tour) => (lengthOf(places, tour) < lengthOf(places, best) ? tour : best),
    first,
  )
}
