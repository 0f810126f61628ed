import { Flow } from '@pgflow/dsl'
import { pace } from './pace.ts'
import { shortestOf, writeItinerary } from './route/itinerary.ts'
import { readPlaces } from './route/places.ts'
import { randomFrom, shorten } from './route/search.ts'
import { shuffled } from './route/tour.ts'

/** So many searches run side by side, each from a way of its own. */
const searches = 4
const mostSeconds = 90
/** The parts of the time that the first searches and the last one take. */
const searchPart = 0.65
const polishPart = 0.3

/**
 * places → starts → search (four tasks) → polish → itinerary
 *
 * Looks for a short way round for as many seconds as it is given: 60 for one to watch.
 */
export const PlanRoute = new Flow<{ places: string; seconds: number }>({
  slug: 'plan_route',
  maxAttempts: 2,
  baseDelay: 1,
  timeout: 70,
})
  // A table that cannot be read stays so: no second attempt.
  .step({ slug: 'places', maxAttempts: 1 }, async ({ run }, context) => {
    await pace(context)
    if (!(run.seconds > 0 && run.seconds <= mostSeconds)) {
      throw new Error(`The search may take up to ${mostSeconds} seconds.`)
    }
    return readPlaces(run.places)
  })
  .array({ slug: 'starts', dependsOn: ['places'] }, async ({ run, places }, context) => {
    await pace(context)
    return Array.from({ length: searches }, (_, index) => ({
      seed: index + 1,
      seconds: run.seconds * searchPart,
      places,
    }))
  })
  .map({ slug: 'search', array: 'starts' }, async ({ seed, seconds, places }, context) => {
    const random = randomFrom(seed)
    const start = shuffled(places.length, random)
    return shorten(places, start, { seconds, warmth: 0.5, random }, context)
  })
  .step({ slug: 'polish', dependsOn: ['places', 'search'] }, async (input, context) => {
    const best = shortestOf(input.places, input.search)
    const options = {
      seconds: input.run.seconds * polishPart,
      warmth: 0.02,
      random: randomFrom(searches + 1),
    }
    return shorten(input.places, best, options, context)
  })
  .step({ slug: 'itinerary', dependsOn: ['places', 'polish'] }, async (input, context) => {
    await pace(context)
    return writeItinerary(input.places, input.polish)
  })
