import { describe, expect, it } from 'vitest'
import { fillIn } from '../../../scripts/docs/figures.ts'

const text = 'before\n<!-- figures: sql -->\nold\n<!-- end of figures -->\nafter\n'

describe('figures in a document', () => {
  it('are put where their name is, and again over those of before', () => {
    const once = fillIn(text, new Map([['sql', '| 1 |']]))
    expect(once).toBe('before\n<!-- figures: sql -->\n\n| 1 |\n\n<!-- end of figures -->\nafter\n')
    expect(fillIn(once, new Map([['sql', '| 1 |']]))).toBe(once)
  })

  it('that nothing has measured fail', () => {
    expect(() => fillIn(text, new Map())).toThrow('no figures called sql')
  })
})
