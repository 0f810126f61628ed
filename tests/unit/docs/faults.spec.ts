import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'

const document = await readFile(new URL('../../../docs/faults.md', import.meta.url), 'utf8')
const reports = [...document.matchAll(/^\| (\d+) .*\|$/gm)]
const references = [...document.matchAll(/\]\(\.\.\/(tests\/[^)]+)\) “([^”]+)”/g)].map(
  ([, file = '', name = '']) => ({ file, name }),
)

describe('docs/faults.md', () => {
  it('tells of every report, and of a test or why there is none', () => {
    expect(reports.map(([, number]) => Number(number))).toEqual(
      Array.from({ length: 40 }, (_, index) => index + 1),
    )
    for (const [row] of reports) {
      expect(row).toMatch(/\]\(\.\.\/tests\/|ESLint|npm run|out of reach: |missing: /)
    }
  })

  it.each(references)('$file has “$name”', async ({ file, name }) => {
    const spec = await readFile(new URL(`../../../${file}`, import.meta.url), 'utf8')
    const plain = spec.replaceAll(/\\(['"`])/g, '$1')
    expect(["'", '"', '`'].some((quote) => plain.includes(`${quote}${name}${quote}`))).toBe(true)
  })
})
