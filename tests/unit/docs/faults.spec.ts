import { readFile, readdir } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'

const root = new URL('../../../', import.meta.url)
const document = await readFile(new URL('docs/faults.md', root), 'utf8')

/** The rows of both tables: what a client has (C) and what was reported (F). */
const rows = [...document.matchAll(/^\| ([CF]\d+) +\| .* \| (.*) \|$/gm)].map(
  ([, id = '', tests = '']) => ({
    id,
    tests,
    files: [...tests.matchAll(/\]\(\.\.\/([^)]+)\)/g)].map(([, file = '']) => file).sort(),
  }),
)

/** The specs that have an id at the end of a title, by id. */
const filesOf = new Map<string, string[]>()
const names = await readdir(new URL('tests/', root), { recursive: true })
for (const name of names.filter((each) => each.endsWith('.spec.ts')).sort()) {
  const spec = await readFile(new URL(`tests/${name}`, root), 'utf8')
  const titles = [...spec.matchAll(/((?: \[[CF]\d+\])+)['"`]/g)].map(([, ids = '']) => ids)
  for (const id of new Set(titles.join('').match(/[CF]\d+/g))) {
    filesOf.set(id, [...(filesOf.get(id) ?? []), `tests/${name}`])
  }
}

const numbered = (letter: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${letter}${index + 1}`)

describe('docs/faults.md', () => {
  it('has a row for every fault, and no test is of another', () => {
    const ids = rows.map(({ id }) => id)
    expect(ids).toEqual([...numbered('C', 12), ...numbered('F', 40)])
    expect([...filesOf.keys()].filter((id) => !ids.includes(id))).toEqual([])
  })

  it.each(rows)('$id has its tests where it says, or the reason why there is none', (row) => {
    expect(row.files).toEqual(filesOf.get(row.id) ?? [])
    if (row.files.length > 0) return
    expect(document).toMatch(
      new RegExp(`^\\| ${row.id} .*(ESLint|npm run|out of reach: |missing: |by its types: )`, 'm'),
    )
  })
})
