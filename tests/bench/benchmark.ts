import type { Comparison } from './harness.ts'

/** What a benchmark found, for the screen and for the file. */
export interface Findings {
  comparisons: Record<string, Comparison>
  /** What was counted rather than timed. */
  facts: Record<string, string | number>
  /** Anything that is not as it should be, in words. */
  concerns: string[]
}

/** One benchmark, in a file of its own. */
export interface Benchmark {
  /** For `--only`. */
  name: string
  /** What is measured and how, in a sentence or two. */
  about: string
  /** `rounds(full)` is how many rounds to measure: fewer with `--quick`. */
  run: (rounds: (full: number) => number) => Promise<Findings>
}

/** Nothing found yet. */
export function noFindings(): Findings {
  return { comparisons: {}, facts: {}, concerns: [] }
}
