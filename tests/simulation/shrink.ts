import type { Entry, Plan } from './plan.ts'
import { play, type PlayResult } from './play.ts'

/** The most schedules that are played to make one smaller. */
const mostTries = 400

/**
 * Makes a schedule smaller in which something does not hold, as long as the same rule is broken:
 * faults, actions and work are left out, and what is left is made simple.
 */
export async function shrink(
  found: PlayResult,
  ignored: readonly string[] = [],
): Promise<PlayResult> {
  const shrinker = new Shrinker(found, ignored)
  await shrinker.leaveOut()
  await shrinker.simplify()
  await shrinker.leaveOut()
  return shrinker.best
}

class Shrinker {
  best: PlayResult
  readonly #rule: string | undefined
  readonly #ignored: readonly string[]
  #tries = 0

  constructor(found: PlayResult, ignored: readonly string[]) {
    this.#ignored = ignored
    this.best = found
    this.#rule = found.violations[0]?.rule
  }

  /** Leaves out entries: many at once, then fewer. */
  async leaveOut(): Promise<void> {
    for (const group of ['fault', 'app', 'work'] as const) {
      const count = this.best.plan.entries.filter((entry) => entry.group === group).length
      for (let size = count; size >= 1; size = Math.floor(size / 2))
        await this.#leaveOut(group, size)
    }
  }

  /** Takes the defaults wherever they do. */
  async simplify(): Promise<void> {
    await this.#try({ isRendered: false })
    await this.#try({ isTidy: false })
    await this.#try({ maxChannels: 90 })
    await this.#try({ gcTime: 5_000 })
    await this.#try({ latency: 30 })
    for (const entry of this.best.plan.entries) {
      if (entry.group !== 'fault' || entry.until <= entry.at) continue
      const shorter: Entry = { ...entry, until: entry.at + (entry.until - entry.at) / 4 }
      await this.#tryEntries(
        this.best.plan.entries.map((each) => (each === entry ? shorter : each)),
      )
    }
    const highest = Math.max(
      0,
      ...this.best.plan.entries.map((entry) => ('run' in entry ? entry.run : 0)),
    )
    await this.#try({ runs: highest + 1 })
  }

  async #leaveOut(group: Entry['group'], size: number): Promise<void> {
    let from = 0
    for (;;) {
      const ofGroup = this.best.plan.entries.filter((entry) => entry.group === group)
      const without = new Set(ofGroup.slice(from, from + size))
      if (without.size === 0) return
      const isSmaller = await this.#tryEntries(
        this.best.plan.entries.filter((entry) => !without.has(entry)),
      )
      if (!isSmaller) from += size
    }
  }

  #tryEntries(entries: Entry[]): Promise<boolean> {
    const untils = entries.map((entry) => (entry.group === 'fault' ? entry.until : entry.at))
    return this.#try({ entries, end: Math.max(0, ...untils) })
  }

  async #try(change: Partial<Plan>): Promise<boolean> {
    if (this.#tries >= mostTries) return false
    this.#tries += 1
    const result = await play({ ...this.best.plan, ...change }, { ignored: this.#ignored })
    const isSame = result.violations[0]?.rule === this.#rule
    if (isSame) this.best = result
    return isSame
  }
}
