import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import { fillIn, makeTables, type Results } from './docs/figures.ts'

/** Puts what tests/bench/results.json says into the documents. */
const path = (relative: string) => fileURLToPath(new URL(`../${relative}`, import.meta.url))
const results = JSON.parse(await readFile(path('tests/bench/results.json'), 'utf8')) as Results
const tables = makeTables(results)

for (const name of ['README.md', 'docs/performance.md']) {
  const file = path(name)
  const text = await readFile(file, 'utf8')
  const options = { ...(await resolveConfig(file)), filepath: file }
  const filled = await format(fillIn(text, tables), options)
  if (filled === text) continue
  if (!process.argv.includes('--check')) await writeFile(file, filled)
  else {
    console.error(`${name} has other figures than the results. Run "npm run performance".`)
    process.exitCode = 1
  }
}
