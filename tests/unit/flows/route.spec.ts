import { describe, expect, it } from 'vitest'
import { shortestOf, writeItinerary } from '../../../playground/flows/route/itinerary.ts'
import { readPlaces } from '../../../playground/flows/route/places.ts'
import { randomFrom, shorten } from '../../../playground/flows/route/search.ts'
import { lengthOf, reversed, shuffled } from '../../../playground/flows/route/tour.ts'

const square = readPlaces('place,x,y\nA,0,0\nB,10,10\nC,10,0\nD,0,10')
const running = { shutdownSignal: new AbortController().signal }

describe('readPlaces', () => {
  it('reads names and where they lie, also with decimal commas', () => {
    expect(readPlaces('place;x;y\nA;0;1,5\nB;1;1\nC;2;1\nD;3;1')[0]).toEqual({
      name: 'A',
      x: 0,
      y: 1.5,
    })
  })

  it.each([
    ['place,x\nA,1', 'Line 2 needs a name and two numbers'],
    ['place,x,y\nA,1,2\nB,here,2', 'Line 3 needs a name and two numbers'],
    ['place,x,y\nA,1,2', 'A route needs 4 to 200 places, and the table has 1 place.'],
    [`place,x,y\n${'A,1,2\n'.repeat(201)}`, 'the table has 201 places.'],
  ])('refuses %j', (csv, message) => {
    expect(() => readPlaces(csv)).toThrow(message)
  })
})

describe('a tour', () => {
  it('goes through each place once, however it is shuffled or turned', () => {
    const random = randomFrom(3)
    const all = Array.from({ length: 20 }, (_, index) => index)
    let tour = shuffled(20, random)
    for (let turn = 0; turn < 500; turn += 1) {
      tour = reversed(tour, random)
      expect([...tour].sort((a, b) => a - b)).toEqual(all)
    }
  })

  it('is as long as its legs, the way back included', () => {
    expect(lengthOf(square, [0, 2, 1, 3])).toBe(40)
  })
})

describe('shorten', () => {
  it('finds the shortest way round a square', async () => {
    const options = { seconds: 0.05, warmth: 0.5, random: randomFrom(1) }
    expect(lengthOf(square, await shorten(square, [0, 1, 2, 3], options, running))).toBe(40)
  })

  it('goes round places that are all the same', async () => {
    const same = square.map((place) => ({ ...place, x: 1, y: 1 }))
    const options = { seconds: 0.02, warmth: 0.5, random: randomFrom(1) }
    expect(await shorten(same, [0, 1, 2, 3], options, running)).toHaveLength(4)
  })

  it('stops when the worker does', async () => {
    const options = { seconds: 60, warmth: 0.5, random: randomFrom(1) }
    const stopped = { shutdownSignal: AbortSignal.abort() }
    await expect(shorten(square, [0, 1, 2, 3], options, stopped)).rejects.toThrow('stopping')
  })
})

describe('writeItinerary', () => {
  it('begins at the first place and says what was saved', () => {
    const itinerary = writeItinerary(square, [1, 3, 0, 2])
    expect(itinerary.stops).toEqual([
      { place: 'A', distance: 0 },
      { place: 'C', distance: 10 },
      { place: 'B', distance: 10 },
      { place: 'D', distance: 10 },
    ])
    expect(itinerary.headline).toBe('4 stops over 40: 17 % shorter than in the order of the table.')
  })

  it('says so when the table was as short already', () => {
    expect(writeItinerary(square, [0, 1, 2, 3]).headline).toContain('as short as in the order')
  })

  it('takes the shortest of several ways', () => {
    expect(shortestOf(square, [[0, 1, 2, 3], [0, 2, 1, 3], [1, 0, 2, 3]])).toEqual([0, 2, 1, 3]) // prettier-ignore
  })
})
