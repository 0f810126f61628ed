import { setImmediate } from 'node:timers/promises'

/** One of the ways that are compared. It decides itself what it times, and answers in ms. */
export interface Variant {
  name: string
  measure: () => Promise<number> | number
}

/** Half of all rounds lie between `low` and `high`. */
export interface Spread {
  median: number
  low: number
  high: number
}

/** How often one variant's time is in another's, round by round. */
export interface Ratio extends Spread {
  of: string
  to: string
  /** What the project wants of it. Nothing fails where it is missed. */
  figure?: string
}

/** What comparing variants gave. */
export interface Comparison {
  rounds: number
  milliseconds: Record<string, Spread>
  ratios: Ratio[]
}

/** A ratio to work out of a comparison. */
export type Wanted = Pick<Ratio, 'of' | 'to' | 'figure'>

/**
 * Measures the variants by turns, A B C A B C, so that whatever else the machine does meets all of
 * them alike. A ratio is worked out within each round, then the median of the rounds is taken.
 */
export async function compare(
  variants: readonly Variant[],
  rounds: number,
  wanted: readonly Wanted[],
): Promise<Comparison> {
  const times = new Map<string, number[]>(variants.map(({ name }) => [name, []]))
  // The first round compiles code and fills caches.
  for (let round = -1; round < rounds; round += 1) {
    for (const { name, measure } of variants) {
      await setImmediate()
      const time = await measure()
      if (round >= 0) times.get(name)?.push(time)
    }
  }
  return {
    rounds,
    milliseconds: Object.fromEntries(
      [...times].map(([name, values]) => [name, spreadOf(values)] as const),
    ),
    ratios: wanted.map((ratio) => ({ ...ratio, ...ratioOf(times, ratio) })),
  }
}

function ratioOf(times: ReadonlyMap<string, number[]>, { of, to }: Wanted): Spread {
  const [above, below] = [times.get(of), times.get(to)]
  if (!above || !below) throw new Error(`There is no variant ${above ? to : of} to compare.`)
  return spreadOf(above.map((value, round) => value / (below[round] ?? NaN)))
}

/** The median of the values, and the quartiles around it. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => {
    const place = share * (sorted.length - 1)
    const [lower, upper] = [sorted[Math.floor(place)] ?? NaN, sorted[Math.ceil(place)] ?? NaN]
    return lower + (upper - lower) * (place - Math.floor(place))
  }
  return { median: at(0.5), low: at(0.25), high: at(0.75) }
}

/**
 * How long this process computes for `work`, in ms: for work that never waits, the same as the time
 * it takes on a machine that does nothing else.
 */
export async function computed(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** How long `work` takes, in ms. */
export async function timed(work: () => Promise<void>): Promise<number> {
  const started = performance.now()
  await work()
  return performance.now() - started
}
