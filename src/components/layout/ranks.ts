/** A step and the steps it waits for. */
export interface LayoutStep {
  slug: string
  deps: readonly string[]
}

/** An edge between two steps, by their places in the list of steps. */
export interface LayoutEdge {
  from: number
  to: number
}

/** Which layer each step is in, and the edges that lead from one layer to a later one. */
export interface RankedGraph {
  ranks: number[]
  edges: LayoutEdge[]
}

/**
 * Puts each step one layer after the last of the steps it waits for (Kahn's algorithm). Dependencies
 * on unknown steps, on itself and those that would close a cycle are left out.
 */
export function rankSteps(steps: readonly LayoutStep[]): RankedGraph {
  const { incoming, outgoing } = connect(steps)
  const ranks = steps.map(() => 0)
  const missing = incoming.map((sources) => sources.length)
  const isRanked = steps.map(() => false)
  const edges: LayoutEdge[] = []
  const queue = steps.flatMap((_, index) => (missing[index] === 0 ? [index] : []))
  let next = 0
  for (let done = 0; done < steps.length; done += 1) {
    // Nothing is free any more: there is a cycle, which is opened at the first step that is left.
    if (done >= queue.length) {
      while (isRanked[next]) next += 1
      queue.push(next)
    }
    const index = queue[done] ?? 0
    isRanked[index] = true
    for (const from of incoming[index] ?? []) {
      if (!isRanked[from] || from === index) continue
      edges.push({ from, to: index })
      ranks[index] = Math.max(ranks[index] ?? 0, (ranks[from] ?? 0) + 1)
    }
    for (const to of outgoing[index] ?? []) {
      missing[to] = (missing[to] ?? 0) - 1
      if (missing[to] === 0 && !isRanked[to]) queue.push(to)
    }
  }
  edges.sort((a, b) => a.from - b.from || a.to - b.to)
  return { ranks, edges }
}

function connect(steps: readonly LayoutStep[]) {
  const places = new Map(steps.map(({ slug }, index) => [slug, index]))
  const outgoing = steps.map((): number[] => [])
  const incoming = steps.map(({ deps }, to) => {
    const sources = [...new Set(deps)].flatMap((slug) => places.get(slug) ?? [])
    const others = sources.filter((from) => from !== to)
    for (const from of others) outgoing[from]?.push(to)
    return others
  })
  return { incoming, outgoing }
}
