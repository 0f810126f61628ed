import { makePlan } from './make-plan.ts'
import { play } from './play.ts'
import { firstOf } from './report.ts'

/** What came of some schedules. */
export interface SeedsResult {
  played: number
  steps: number
  failures: { seed: number; rule: string; text: string }[]
}

/** Plays the schedules of so many seeds, from the first on. */
export async function runSeeds(
  first: number,
  count: number,
  ignored: readonly string[] = [],
): Promise<SeedsResult> {
  const result: SeedsResult = { played: 0, steps: 0, failures: [] }
  for (let seed = first; seed < first + count; seed += 1) {
    const { failure, steps } = await playSeed(seed, ignored)
    result.played += 1
    result.steps += steps
    if (failure) result.failures.push({ seed, ...failure })
  }
  return result
}

async function playSeed(seed: number, ignored: readonly string[]) {
  try {
    const played = await play(makePlan(seed), { ignored })
    const [first] = played.violations
    const failure = first ? { rule: first.rule, text: firstOf(played) } : null
    return { steps: played.steps, failure }
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return { steps: 0, failure: { rule: 'crash', text } }
  }
}
