import { readFile } from 'node:fs/promises'
import { PgflowError } from 'pinia-pgflow'
import { describe, expect, it } from 'vitest'
import type { PgflowErrorCode } from '../../../src/error-codes.ts'
import { errorHints } from '../../../src/error-hints.ts'

const read = (path: string) => readFile(new URL(`../../../${path}`, import.meta.url), 'utf8')
const codes = Object.keys(errorHints()) as PgflowErrorCode[]
const document = await read('docs/errors.md')

/** The sections of the document by their anchor, which GitHub makes of the heading. */
const sections = new Map(
  document
    .split(/^### /m)
    .slice(1)
    .map((section) => {
      const [heading = '', ...lines] = section.split('\n')
      return [heading.replaceAll('`', '').trim().toLowerCase(), lines.join('\n')]
    }),
)
const tableRows = [...document.matchAll(/^\| \[`(\w+)`\]\(#(\w+)\) +\|(.*)\|$/gm)]

describe('docs/errors.md', () => {
  it('has a section for every code, and no other', () => {
    expect([...sections.keys()].sort()).toEqual([...codes].sort())
  })

  it.each(codes)('says of %s what causes it, what to do and whether it is tried again', (code) => {
    const section = sections.get(code)
    expect(section).toMatch(/^\*\*Cause\.\*\* .{20,}/m)
    expect(section).toMatch(/^\*\*Fix\.\*\* .{8,}/m)
    const again = /^\*\*Retried\.\*\* (Yes|No)\b/m.exec(section ?? '')
    expect(again?.[1]).toBe(new PgflowError(code, '').isTransient ? 'Yes' : 'No')
  })

  it('has every code in its table, with cause, fix and where it shows', () => {
    expect(tableRows.map(([, code]) => code).sort()).toEqual([...codes].sort())
    for (const [, code, anchor, rest] of tableRows) {
      expect(anchor).toBe(code)
      expect(rest?.split('|').map((cell) => cell.trim().length > 3)).toEqual([true, true, true])
    }
  })
})

it('an error names a section that exists, of a file that is in the package', async () => {
  const { name, files } = JSON.parse(await read('package.json')) as {
    name: string
    files: string[]
  }
  for (const code of codes) {
    const [path = '', anchor] = new PgflowError(code, 'a message').docs.split('#')
    expect(path.startsWith(`${name}/`)).toBe(true)
    const file = path.slice(name.length + 1)
    expect(files.some((entry) => file === entry || file.startsWith(`${entry}/`))).toBe(true)
    await expect(read(file)).resolves.toBe(document)
    expect(sections.has(anchor ?? '')).toBe(true)
  }
})
