import { describe, expect, it } from 'vitest'
import { fillIn } from '../../../scripts/docs/figures.ts'

const text = 'before\n<!-- figures: sizes -->\nold\n<!-- end of figures -->\nafter\n'
const limits = [{ name: 'all of it (figure: 1 kB)', limit: '2 kB' }]
const filled = [
  'before\n<!-- figures: sizes -->\n',
  '| what is imported | at most |\n| --- | --- |\n| all of it | 2 kB |\n',
  '<!-- end of figures -->\nafter\n',
].join('\n')

describe('figures in a document', () => {
  it('are put where their name is, and again over those of before', () => {
    expect(fillIn(text, {}, limits)).toBe(filled)
    expect(fillIn(filled, {}, limits)).toBe(filled)
  })

  it('are named where their benchmark has not been run', () => {
    const filled = fillIn(text.replace('sizes', 'memory'), {}, limits)
    expect(filled).toContain('Not measured yet: `npm run bench -- --only memory`.')
  })

  it('tell what a reconnect sends', () => {
    const spread = { median: 1200, low: 1000, high: 1400 }
    const comparison = { rounds: 5, milliseconds: { 'pinia-pgflow': spread }, ratios: [] }
    const facts = ['1 run', '100 runs', '500 runs'].flatMap((runs) =>
      ['pinia-pgflow', '@pgflow/client'].flatMap((library) => [
        [`${runs}, ${library}, requests`, 1],
        [`${runs}, ${library}, joins`, 90],
        [`${runs}, ${library}, bytes`, 3627],
      ]),
    )
    const reconnect = {
      comparisons: { '1 run': comparison, '100 runs': comparison, '500 runs': comparison },
      facts: Object.fromEntries(facts) as Record<string, number>,
      concerns: [],
    }
    expect(fillIn(text.replace('sizes', 'reconnect'), { reconnect }, limits)).toContain(
      '| 100 runs | 1200 ms (1000 to 1400) | 1 request, 90 joins, 3.63 kB | 1 request, 90 joins, 3.63 kB |',
    )
  })

  it('fail where nothing has measured them, or nobody knows them', () => {
    expect(() => fillIn(text.replace('sizes', 'start'), {}, limits)).toThrow('start: on a new page')
    expect(() => fillIn(text.replace('sizes', 'speed'), {}, limits)).toThrow('table speed')
  })
})
