import type { GeneratedFlow } from './generated-flows.ts'

/** A broadcast as either side writes it down. */
export interface Sent {
  name: string
  payload: { seq?: unknown; step_slug?: unknown; output?: unknown }
}

/**
 * The broadcasts with one order where Postgres decides none: steps that become ready together are
 * started by one statement, and map steps of no tasks are completed by one. Which of them comes first
 * depends on its plan, and that on the statistics of the tables.
 */
export function inOneOrder(sent: readonly Sent[], { flow }: GeneratedFlow): Sent[] {
  const ordered: Sent[] = []
  let together: Sent[] = []
  let kind = ''
  const end = () => {
    const seqs = together.map(({ payload }) => payload.seq)
    const bySlug = [...together].sort((a, b) => (a.name < b.name ? -1 : 1))
    bySlug.forEach(({ name, payload }, index) => {
      ordered.push({ name, payload: { ...payload, seq: seqs[index] } })
    })
    together = []
  }
  for (const message of sent) {
    const of = kindOf(message)
    const slug = String(message.payload.step_slug)
    const deps = new Map(Object.entries(flow)).get(slug)?.deps ?? []
    const follows = together.some(({ payload }) => deps.some((dep) => dep === payload.step_slug))
    if (of !== kind || follows) end()
    kind = of
    if (kind) together.push(message)
    else ordered.push(message)
  }
  end()
  return ordered
}

/** What one statement does to several steps; empty where each has a statement of its own. */
function kindOf({ name, payload: { step_slug: slug, output } }: Sent): string {
  if (name === `${String(slug)}:started`) return 'started'
  const isEmpty = Array.isArray(output) && output.length === 0
  return name === `${String(slug)}:completed` && isEmpty ? 'emptied' : ''
}
