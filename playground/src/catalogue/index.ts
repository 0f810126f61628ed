import { analyzeCsv } from './analyze-csv.ts'
import { analyzeText } from './analyze-text.ts'
import type { StepLabels } from './define.ts'
import { planRoute } from './plan-route.ts'
import { publishReport } from './publish-report.ts'
import { summariseText } from './summarise-text.ts'

/** The flows that can be started here, in the order to offer them. */
export const cards = [analyzeText, analyzeCsv, summariseText, planRoute, publishReport] as const

/** A flow that can be started here. */
export type Card = (typeof cards)[number]

/** The card of a flow; undefined for a flow of another page. */
export function cardOf(flowSlug: string): Card | undefined {
  return cards.find(({ slug }) => slug === flowSlug)
}

/** A flow in words; its slug where nothing better is known. */
export function titleOf(flowSlug: string): string {
  return cardOf(flowSlug)?.title ?? flowSlug
}

/** The steps of a flow in words, by slug and in the order to show them. */
export function stepLabelsOf(flowSlug: string): [slug: string, words: StepLabels][] {
  return Object.entries<StepLabels>(cardOf(flowSlug)?.steps ?? {})
}
