import { makePlan } from './make-plan.ts'
import { play, type PlayResult } from './play.ts'
import type { Plan } from './plan.ts'
import { shrink } from './shrink.ts'

/** The most lines of a timeline that are printed: the last ones. */
const mostLines = 150
/** How much of a line is its time. */
const timeWidth = 9

/** What went wrong with a seed, as a readable timeline of the smallest schedule that shows it. */
export async function reportOf(seed: number, ignored: readonly string[] = []): Promise<string> {
  return (await smallestOf(seed, ignored)).text
}

/** The smallest schedule in which goes wrong what does with a seed, and its timeline. */
export async function smallestOf(seed: number, ignored: readonly string[] = []) {
  const found = await play(makePlan(seed), { ignored })
  if (found.violations.length === 0) {
    return { plan: found.plan, text: `seed ${seed}: nothing is wrong` }
  }
  const small = await shrink(found, ignored)
  const lines = [`seed ${seed}: ${firstOf(found)}`, ...(await timelineOf(small, ignored))]
  return { plan: small.plan, text: lines.join('\n') }
}

/** What went wrong with a schedule, as a timeline. */
export async function reportOfPlan(plan: Plan): Promise<string> {
  return (await timelineOf(await play(plan), [])).join('\n')
}

/** The first thing that did not hold, in one line. */
export function firstOf({ violations }: PlayResult): string {
  const [first] = violations
  return first ? `${first.rule} at ${first.at.toFixed(0)} ms: ${first.text}` : 'nothing'
}

async function timelineOf({ plan }: PlayResult, ignored: readonly string[]): Promise<string[]> {
  const { entries: _entries, seed: _seed, ...settings } = plan
  const again = await play(plan, { isJournalKept: true, ignored })
  const all = withoutRepeats(again.timeline)
  const lines = all.slice(-mostLines)
  const left = all.length - lines.length
  return [
    `  made smaller: ${firstOf(again)}`,
    `  ${JSON.stringify(settings)}`,
    ...(left > 0 ? [`  … ${left} lines before`] : []),
    ...lines.map((line) => `  ${line}`),
  ]
}

/** Many equal lines in a row, as in a flood, as one. */
function withoutRepeats(lines: readonly string[]): string[] {
  const textOf = (line: string | undefined) => line?.slice(timeWidth)
  const firsts = lines.filter((line, index) => textOf(line) !== textOf(lines[index - 1]))
  const counts = new Map<string, number>()
  let first = ''
  for (const [index, line] of lines.entries()) {
    if (textOf(line) !== textOf(lines[index - 1])) first = line
    counts.set(first, (counts.get(first) ?? 0) + 1)
  }
  return firsts.map((line) => {
    const count = counts.get(line) ?? 1
    return count > 1 ? `${line} (${count} times)` : line
  })
}
