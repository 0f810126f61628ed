import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { runPool } from './pool.ts'
import { keepFound } from './found.ts'
import { smallestOf } from './report.ts'

/**
 * `npm run simulate -- --runs N --seed S [--workers W] [--reports R]`: plays the schedules S to
 * S + N - 1, and prints the first R faults, one of each kind first, as timelines. With `--ignore
 * rule,rule` those rules are not looked at; `--keep name --what sentence` keeps what is wrong with the
 * first fault as a test.
 */
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: String(Math.min(2, availableParallelism())) },
    reports: { type: 'string', default: '3' },
    ignore: { type: 'string', default: '' },
    keep: { type: 'string' },
    what: { type: 'string', default: '' },
  },
})
const runs = Number(values.runs)
const first = Number(values.seed)
const workers = Math.min(Number(values.workers), Math.ceil(runs / 50))
const reports = Number(values.reports)
const ignored = values.ignore.split(',').filter(Boolean)
if (![runs, first, workers, reports].every(Number.isInteger) || runs < 1 || workers < 1) {
  console.error('Usage: npm run simulate -- --runs <how many> --seed <the first> [--workers <n>]')
  process.exit(2)
}

const begun = performance.now()
const seconds = () => ((performance.now() - begun) / 1000).toFixed(0)
let printedAt = 0
let printedFailures = 0
const { played, steps, failures } = await runPool({
  ...{ first, runs, workers, ignored },
  onProgress: (total) => {
    for (const { seed, rule, text } of total.failures.slice(printedFailures)) {
      console.log(`seed ${seed}, ${rule}: ${text}`)
    }
    printedFailures = total.failures.length
    if (performance.now() - printedAt < 5_000) return
    printedAt = performance.now()
    console.log(`${total.played} of ${runs}, ${total.failures.length} faults, ${seconds()} s`)
  },
})
const rules = [...new Set(failures.map(({ rule }) => rule))]
for (const rule of rules) {
  const of = failures.filter((failure) => failure.rule === rule).sort((a, b) => a.seed - b.seed)
  console.log(`${rule}: ${of.length}`)
  for (const { seed, text } of of.slice(0, 10)) console.log(`  seed ${seed}: ${text}`)
}
const shown = rules.flatMap((rule) => failures.find((failure) => failure.rule === rule) ?? [])
for (const [index, { seed }] of shown.slice(0, reports).entries()) {
  const { plan, text } = await smallestOf(seed, ignored)
  console.log(`\n${text}`)
  if (values.keep !== undefined && index === 0) keepFound(values.keep, { what: values.what, plan })
}
console.log(`${played} schedules, ${steps} steps, ${failures.length} faults, ${seconds()} s`)
process.exitCode = failures.length === 0 ? 0 : 1
