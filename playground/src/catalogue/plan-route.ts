import places from '../../flows/samples/places.csv?raw'
import tooFew from '../../flows/samples/too-few-places.csv?raw'
import { counted } from '../labels/format.ts'
import { checkLength, defineCard } from './define.ts'

export const planRoute = defineCard({
  slug: 'plan_route',
  title: 'Plan a route',
  about: 'Searches for a short way round, for as long as you say.',
  field: { label: 'Places', hint: 'CSV: a name and two numbers a line.', isCode: true },
  amount: { label: 'Seconds', hint: 'How long to search.', least: 1, most: 90, first: 60 },
  samples: [
    { label: '32 places', text: places },
    { label: 'Too few places', text: tooFew },
  ],
  steps: {
    places: {
      title: 'Places',
      about: 'Reads the table.',
      inShort: (rows) => counted(rows.length, 'place'),
      keys: ['name', 'x', 'y'],
    },
    starts: {
      title: 'Starts',
      about: 'Gives each search a way of its own to begin with.',
      inShort: (starts) => counted(starts.length, 'start'),
      keys: ['seed', 'seconds', 'places'],
    },
    search: {
      title: 'Search',
      about: 'Shortens four ways side by side.',
      inShort: (ways) => `${counted(ways.length, 'way')} found`,
      keys: [],
    },
    polish: {
      title: 'Polish',
      about: 'Shortens the best of them once more.',
      inShort: (way) => `a way over ${counted(way.length, 'place')}`,
      keys: [],
    },
    itinerary: {
      title: 'Itinerary',
      about: 'Writes it up.',
      inShort: ({ headline }) => headline,
      keys: ['headline', 'length', 'stops', 'place', 'distance'],
    },
  },
  check: (text) => checkLength(text, 'Paste some lines of CSV first.'),
  toInput: (text, seconds = 60) => ({ places: text, seconds }),
})
