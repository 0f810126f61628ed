import { describe, expect, it } from 'vitest'
import { inspectRow, readCell } from '../../../playground/flows/csv/inspect.ts'
import { findOutliers } from '../../../playground/flows/csv/outliers.ts'
import { parseCsv } from '../../../playground/flows/csv/parse.ts'
import { writeTableReport } from '../../../playground/flows/csv/report.ts'
import { quantile, summarise } from '../../../playground/flows/csv/statistics.ts'

const rowsOf = (csv: string) => parseCsv(csv).map(inspectRow)

describe('parseCsv', () => {
  it('reads rows with their line and their columns in order', () => {
    expect(parseCsv('town, people\nPorto,231800\n\nBraga,193349\n')).toEqual([
      { line: 2, decimal: '.', cells: [['town', 'Porto'], ['people', '231800']] }, // prettier-ignore
      { line: 4, decimal: '.', cells: [['town', 'Braga'], ['people', '193349']] }, // prettier-ignore
    ])
  })

  it.each([
    ['semicolons', 'a;b\n1,5;2'],
    ['tabs', 'a\tb\n1,5\t2'],
  ])('separates by %s', (_name, csv) => {
    expect(parseCsv(csv)[0]?.cells).toEqual([
      ['a', '1,5'],
      ['b', '2'],
    ])
  })

  it('reads quotes, also around separators, quotes and line breaks, and still counts lines', () => {
    const csv = '\uFEFFname,note\r\n"Doe, Jane","said ""hi""\r\nand left"\r\nJim,-'
    expect(parseCsv(csv)).toEqual([
      { line: 2, decimal: '.', cells: [['name', 'Doe, Jane'], ['note', 'said "hi"\r\nand left']] }, // prettier-ignore
      { line: 4, decimal: '.', cells: [['name', 'Jim'], ['note', '-']] }, // prettier-ignore
    ])
  })

  it.each([
    ['', 'There is no data: the first line must name the columns.'],
    ['a,b\n', 'There is only a header: add at least one line of data.'],
    ['a,,c\n1,2,3', 'Column 2 has no name in the header.'],
    ['a,b,a\n1,2,3', 'The header names the column “a” twice.'],
    ['a,b\n1,2\n3', 'Line 3 has 1 value, but the header names 2 columns.'],
    ['a,b\n1,2\n1,2,3', 'Line 3 has 3 values, but the header names 2 columns.'],
    ['a,b\n1,"2\n3,4', 'Line 2 has a quote that is not closed, or text after one.'],
    ['a,b\n1,"2"x', 'Line 2 has a quote that is not closed, or text after one.'],
    [`a\n${'1\n'.repeat(501)}`, 'There are 501 rows; at most 500 can be read at once.'],
  ])('refuses %j', (csv, message) => {
    expect(() => parseCsv(csv)).toThrow(message)
  })
})

describe('decimals', () => {
  const cellsOf = (csv: string) => rowsOf(csv).map(({ values }) => values.map(([, value]) => value))

  it.each([
    ['after a comma, where semicolons separate', 'a;b\n1,50;2', [1.5, 2]],
    ['after a comma, with dots between thousands', 'a;b\n1.234,50;1.000', [1234.5, 1000]],
    ['after a comma, in a quoted cell', 'a,b\n"1,50",2', [1.5, 2]],
    ['after a point, also where semicolons separate', 'a;b\n1.50;1,000', [1.5, 1000]],
    ['after a point, where commas separate', 'a,b\n1.50,"1,000"', [1.5, 1000]],
    ['after a comma, where tabs separate', 'a\tb\n1,5\t-0,25', [1.5, -0.25]],
    ['with blanks between thousands', 'a;b\n1 234,5;€ 1\u00A0000', [1234.5, 1000]],
    ['of a date are none', 'a;b\n01.10.2026;2026-10-01', ['01.10.2026', '2026-10-01']],
  ])('%s', (_name, csv, values) => {
    expect(cellsOf(csv)).toEqual([values])
  })
})

describe('readCell', () => {
  it.each([
    ['12', 12],
    ['-0.5', -0.5],
    ['1,234.50', 1234.5],
    ['1 234', 1234],
    ['12 %', 12],
    ['€ 7', 7],
    ['-$3', -3],
    ['1e3', 1000],
    ["1'234.5", 1234.5],
    ['1e999', '1e999'],
    ['12345678901234567890', '12345678901234567890'],
    ['n/a', null],
    ['', null],
    ['12 May', '12 May'],
    ['1,23', '1,23'],
    ['2026-10-01', '2026-10-01'],
  ])('reads %j', (cell, value) => {
    expect(readCell(cell)).toBe(value)
  })
})

describe('summarise', () => {
  it('computes figures for numbers and counts everything else', () => {
    expect(summarise(rowsOf('shop,cups\nA,2\nB,4\nA,4\nA,10\nC,n/a'))).toEqual({
      rows: 5,
      numbers: [
        {
          column: 'cups',
          count: 4,
          missing: 1,
          min: 2,
          median: 4,
          mean: 5,
          max: 10,
          deviation: 3.46,
          sum: 20,
        },
      ],
      texts: [{ column: 'shop', count: 5, missing: 0, distinct: 3, mostFrequent: 'A (3×)' }],
    })
  })

  it('takes a column as text when a single cell is one, and an empty one too', () => {
    const { numbers, texts } = summarise(rowsOf('a,b\n1,-\ntwo,-'))
    expect(numbers).toEqual([])
    expect(texts).toMatchObject([
      { column: 'a', distinct: 2 },
      { column: 'b', missing: 2, mostFrequent: '' },
    ])
  })

  it('finds the quantile between two values', () => {
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5)
    expect(quantile([1, 2, 3, 4], 1)).toBe(4)
  })
})

describe('findOutliers', () => {
  it('names the value that lies far from the rest, and where', () => {
    const rows = rowsOf('cups\n10\n11\n12\n11\n10\n99')
    expect(findOutliers(rows, summarise(rows))).toEqual({
      verdict: 'Look at 1 unusual value.',
      outliers: [{ line: 7, column: 'cups', value: 99, usual: '8 to 14' }],
    })
  })

  it('says so when nothing stands out, as in too few values', () => {
    const rows = rowsOf('cups\n1\n2\n999')
    expect(findOutliers(rows, summarise(rows))).toEqual({
      verdict: 'Nothing stands out.',
      outliers: [],
    })
  })
})

describe('writeTableReport', () => {
  const reportOf = (csv: string) => {
    const rows = rowsOf(csv)
    const statistics = summarise(rows)
    return writeTableReport(statistics, findOutliers(rows, statistics))
  }

  it('puts figures, gaps and outliers into sentences, with numbers as people write them', () => {
    const csv = `shop;cups;price\n${'A;1000;1,50\n'.repeat(6)}B;9000;1,50\nC;n/a;1,50`
    expect(reportOf(csv)).toEqual({
      headline: '8 rows in 3 columns: 2 of numbers and 1 of text.',
      summary: [
        'cups: 2,142.86 on average, from 1,000 to 9,000, 15,000 in all.',
        'price: 1.5 on average, 12 in all.',
        '1 cell without a value: cups (1).',
        'Line 8: cups is 9,000, where 1,000 to 1,000 is usual.',
      ],
    })
  })

  it('manages without numbers', () => {
    expect(reportOf('a,b\nx,y')).toEqual({
      headline: '1 row in 2 columns: 2 of text.',
      summary: ['No cell is empty.', 'Nothing stands out.'],
    })
  })
})
