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

  it('fail where nothing has measured them, or nobody knows them', () => {
    expect(() => fillIn(text.replace('sizes', 'start'), {}, limits)).toThrow('start: on a new page')
    expect(() => fillIn(text.replace('sizes', 'speed'), {}, limits)).toThrow('table speed')
  })
})
