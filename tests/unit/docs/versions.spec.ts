import { readFile } from 'node:fs/promises'
import { expect, it } from 'vitest'

const read = (path: string) => readFile(new URL(`../../../${path}`, import.meta.url), 'utf8')
const first = (pattern: RegExp, text: string) => Number(pattern.exec(text)?.[1])

it('the package, the migration and the contract name one version of the functions', async () => {
  const ours = first(/^const ownVersion = (\d+)$/m, await read('src/transport/api-version.ts'))
  const sql = await read('supabase/schemas/1400-read.sql')
  const contract = await read('docs/broadcast-contract.md')
  expect(ours).toBeGreaterThan(0)
  expect(first(/function pgflow_client\.api_version\(\)[^]*?select (\d+);/, sql)).toBe(ours)
  expect(first(/`pgflow_client\.api_version\(\)` returns `(\d+)`/, contract)).toBe(ours)
  expect(first(/the version of the functions, `(\d+)`/, contract)).toBe(ours)
})
