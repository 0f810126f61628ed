import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { inspectRow } from '../../../playground/flows/csv/inspect.ts'
import { findOutliers } from '../../../playground/flows/csv/outliers.ts'
import { parseCsv } from '../../../playground/flows/csv/parse.ts'
import { summarise } from '../../../playground/flows/csv/statistics.ts'
import { readOutline } from '../../../playground/flows/report/outline.ts'
import { makePage } from '../../../playground/flows/report/page.ts'
import { readPlaces } from '../../../playground/flows/route/places.ts'
import { weighSentences } from '../../../playground/flows/summary/busy-service.ts'
import { splitText } from '../../../playground/flows/summary/sentences.ts'
import { writeSummary } from '../../../playground/flows/summary/summary.ts'

const sample = (name: string) =>
  readFile(new URL(`../../../playground/flows/samples/${name}`, import.meta.url), 'utf8')

describe('the sample', () => {
  it('greenhouse.csv has hundreds of rows, four columns of numbers and two outliers', async () => {
    const rows = parseCsv(await sample('greenhouse.csv')).map(inspectRow)
    const statistics = summarise(rows)
    expect(rows).toHaveLength(336)
    expect(statistics.numbers.map(({ column }) => column)).toEqual([
      'hour',
      'temperature',
      'humidity',
      'water',
    ])
    const { outliers } = findOutliers(rows, statistics)
    expect(outliers.map(({ column, value }) => [column, value])).toEqual([
      ['temperature', 41.3],
      ['water', 9.5],
    ])
  })

  it('harbour.txt can be summarised, one-line.txt cannot', async () => {
    const split = splitText(await sample('harbour.txt'))
    const { summary } = writeSummary(split, weighSentences(split.sentences, 3))
    expect(summary.length).toBeGreaterThan(2)
    const short = await sample('one-line.txt')
    expect(() => splitText(short)).toThrow('short enough')
  })

  it('places.csv makes a route, too-few-places.csv does not', async () => {
    expect(readPlaces(await sample('places.csv'))).toHaveLength(32)
    const few = await sample('too-few-places.csv')
    expect(() => readPlaces(few)).toThrow('the table has 2 places')
  })

  it('october.md has a title and needs no network', async () => {
    const markdown = await sample('october.md')
    const outline = readOutline(markdown)
    expect(outline).toMatchObject({ title: 'Coffee sales in October', links: [] })
    expect(makePage(markdown, outline, []).html).toContain('<h2>Figures</h2>')
  })
})
