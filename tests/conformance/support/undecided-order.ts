import type { GeneratedFlow } from './generated-flows.ts'

/** A broadcast as either side writes it down. */
export interface Sent {
  name: string
  payload: { seq?: unknown; step_slug?: unknown; output?: unknown }
}

/**
 * The broadcasts with one order where Postgres decides none: map steps of no tasks that become ready
 * together are completed by one statement, and which of them comes first depends on its plan.
 */
export function inOneOrder(sent: readonly Sent[], { flow }: GeneratedFlow): Sent[] {
  const ordered: Sent[] = []
  let together: Sent[] = []
  const end = () => {
    const seqs = together.map(({ payload }) => payload.seq)
    const bySlug = [...together].sort((a, b) => (a.name < b.name ? -1 : 1))
    bySlug.forEach(({ name, payload }, index) => {
      ordered.push({ name, payload: { ...payload, seq: seqs[index] } })
    })
    together = []
  }
  for (const message of sent) {
    const { step_slug: slug, output } = message.payload
    const isEmptied =
      message.name === `${String(slug)}:completed` && Array.isArray(output) && output.length === 0
    const deps = new Map(Object.entries(flow)).get(String(slug))?.deps ?? []
    const follows = together.some(({ payload }) => deps.some((dep) => dep === payload.step_slug))
    if (!isEmptied || follows) end()
    if (isEmptied) together.push(message)
    else ordered.push(message)
  }
  end()
  return ordered
}
