import type { FlowInput, FlowOf, FlowSlug, Json, StepOutput, StepSlug } from 'pinia-pgflow'

/** A step in words. */
export interface StepLabels<Output = Json> {
  title: string
  /** What it does. */
  about: string
  /**
   * Its output in a few words. A method, as TypeScript lets those stand in a list for the steps of
   * any flow; each is still checked against its own step where it is written.
   */
  inShort(output: Output): string
  /** The keys of its output in the order to show them: Postgres does not keep any. */
  keys: readonly string[]
  /** Keys that are of use to the next step only: shown as JSON, and not otherwise. */
  internalKeys?: readonly string[]
}

/** A text to try a flow with. */
export interface Sample {
  label: string
  text: string
}

/** A number that a flow takes besides its text. */
export interface Amount {
  label: string
  hint: string
  least: number
  most: number
  /** What it is until somebody changes it. */
  first: number
}

/** What the page says about a flow, beyond what the database knows. */
export interface FlowCard<Slug extends FlowSlug = FlowSlug> {
  slug: Slug
  title: string
  about: string
  /** The name of its text, and what to type there. */
  field: { label: string; hint: string; isCode: boolean }
  amount?: Amount
  /** The first of them succeeds. */
  samples: readonly [Sample, ...Sample[]]
  /** Every step, in the order to show them; the compiler checks that none is missing. */
  steps: { [Step in StepSlug<FlowOf<Slug>>]: StepLabels<StepOutput<FlowOf<Slug>, Step>> }
  /** Why this text cannot be sent, or null. */
  check: (text: string) => string | null
  /** @param amount - given where there is an `amount`. */
  toInput: (text: string, amount?: number) => FlowInput<FlowOf<Slug>>
}

/** Checks a card against the flow it describes. */
export function defineCard<Slug extends FlowSlug>(card: FlowCard<Slug>): FlowCard<Slug> {
  return card
}

/** Why a number cannot be sent, or null. */
export function checkAmount({ label, least, most }: Amount, amount: number): string | null {
  if (amount >= least && amount <= most) return null
  return `${label}: a number from ${least} to ${most}.`
}

/** Long enough for a chapter, short enough for one message. */
const longest = 50_000

/** The check that every text must pass. */
export function checkLength(text: string, empty: string): string | null {
  if (text.trim() === '') return empty
  if (text.length <= longest) return null
  const [length, limit] = [text.length, longest].map((each) => each.toLocaleString('en'))
  return `That is too long: ${length} characters of at most ${limit}.`
}
