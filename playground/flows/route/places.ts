import { inspectRow } from '../csv/inspect.ts'
import { parseCsv } from '../csv/parse.ts'
import { counted, formatNumber } from '../format.ts'

/** A place on a plane. */
export type Place = {
  name: string
  x: number
  y: number
}

const fewest = 4
const most = 200

/**
 * Reads a table of places: the first column is the name, the next two are where it lies.
 * @throws Error that says what is missing, and on which line.
 */
export function readPlaces(csv: string): Place[] {
  const places = parseCsv(csv).map((row) => {
    const [name, x, y] = inspectRow(row).values.map(([, value]) => value)
    if (typeof x !== 'number' || typeof y !== 'number') {
      throw new Error(`Line ${row.line} needs a name and two numbers: where the place lies.`)
    }
    return { name: String(name ?? `Line ${row.line}`), x, y }
  })
  if (places.length < fewest || places.length > most) {
    const range = `${formatNumber(fewest)} to ${formatNumber(most)}`
    throw new Error(
      `A route needs ${range} places, and the table has ${counted(places.length, 'place')}.`,
    )
  }
  return places
}
