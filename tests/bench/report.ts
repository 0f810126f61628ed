import { readFile, writeFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { Benchmark, Findings } from './benchmark.ts'
import type { Spread } from './harness.ts'

const file = fileURLToPath(new URL('results.json', import.meta.url))

/** Prints what a benchmark found. */
export function print({ name, about }: Benchmark, findings: Findings): void {
  console.log(`\n${name}: ${about}`)
  for (const [title, { rounds, milliseconds, ratios }] of Object.entries(findings.comparisons)) {
    console.log(`\n  ${title}, ${rounds} rounds`)
    for (const [variant, spread] of Object.entries(milliseconds)) {
      console.log(`    ${variant.padEnd(34)} ${range(spread)} ms`)
    }
    for (const { of, to, figure, ...spread } of ratios) {
      console.log(
        `    ${`${of} / ${to}`.padEnd(34)} ${range(spread)}${figure ? `  (${figure})` : ''}`,
      )
    }
  }
  if (Object.keys(findings.facts).length > 0) console.log()
  for (const [fact, value] of Object.entries(findings.facts)) {
    console.log(`  ${fact}: ${value}`)
  }
  for (const concern of findings.concerns)
    console.log(`\n  ! ${concern.replaceAll('\n', '\n    ')}`)
}

function range({ median, low, high }: Spread): string {
  return `${significant(median)} (${significant(low)} to ${significant(high)})`
}

function significant(value: number): string {
  return String(Number(value.toPrecision(3)))
}

/** Puts what a benchmark found beside the results of the others. */
export async function keep({ name, about }: Benchmark, findings: Findings): Promise<void> {
  const known = JSON.parse(await readFile(file, 'utf8').catch(() => '{}')) as object
  const result = {
    date: new Date().toISOString(),
    node: process.version,
    cores: availableParallelism(),
    about,
    ...findings,
  }
  const all = Object.entries({ ...known, [name]: result }).sort(([a], [b]) => (a < b ? -1 : 1))
  const shorten = (_key: string, value: unknown) =>
    typeof value === 'number' ? Number(value.toPrecision(4)) : value
  await writeFile(file, `${JSON.stringify(Object.fromEntries(all), shorten, 2)}\n`)
}
