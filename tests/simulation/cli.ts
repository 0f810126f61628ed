import { parseArgs } from 'node:util'
import { playSchedule } from './schedule.ts'

/** `npm run simulate -- --runs N --seed S`: plays the schedules S to S + N - 1. */
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
  },
})
const runs = Number(values.runs)
const first = Number(values.seed)
if (!Number.isInteger(runs) || runs < 1 || !Number.isInteger(first)) {
  console.error('Usage: npm run simulate -- --runs <how many> --seed <the first seed>')
  process.exit(2)
}
let diverged = 0
let steps = 0
for (let seed = first; seed < first + runs; seed += 1) {
  const result = await playSchedule(seed)
  steps += result.steps
  if (result.violations.length === 0) continue
  diverged += 1
  console.log(`seed ${seed}:\n  ${result.violations.slice(0, 5).join('\n  ')}`)
}
console.log(`${runs} schedules, ${steps} steps, ${diverged} divergences`)
process.exitCode = diverged === 0 ? 0 : 1
