import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import { fillIn, type Results, type SizeLimit } from './docs/figures.ts'

/** Puts what tests/bench/results.json and .size-limit.json say into the documents. */
const path = (relative: string) => fileURLToPath(new URL(`../${relative}`, import.meta.url))
const read = async (file: string): Promise<unknown> =>
  JSON.parse(await readFile(path(file), 'utf8'))
const results = (await read('tests/bench/results.json')) as Results
const limits = (await read('.size-limit.json')) as SizeLimit[]

for (const name of ['README.md', 'docs/performance.md']) {
  const file = path(name)
  const text = await readFile(file, 'utf8')
  const options = { ...(await resolveConfig(file)), filepath: file }
  const filled = await format(fillIn(text, results, limits), options)
  if (filled === text) continue
  if (!process.argv.includes('--check')) await writeFile(file, filled)
  else {
    console.error(`${name} has other figures than the results. Run "npm run performance".`)
    process.exitCode = 1
  }
}
