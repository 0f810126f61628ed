import type { LayoutEdge, RankedGraph } from './ranks.ts'

/** An item of a layer: a step, or a point where an edge passes through it. */
export interface LayerItem {
  /** The place of the step in the list of steps; null for a point of an edge. */
  step: number | null
  rank: number
  /** The items of the layer before and of the layer after that it is connected with. */
  before: LayerItem[]
  after: LayerItem[]
  /** Its place in its layer. */
  place: number
  /** Its position across the layers. */
  position: number
}

/** An edge and the points at which it passes through the layers between its ends. */
export interface RoutedEdge extends LayoutEdge {
  /** Null for an edge that is led around everything. */
  through: LayerItem[] | null
}

export interface LayeredGraph {
  layers: LayerItem[][]
  items: LayerItem[]
  edges: RoutedEdge[]
}

/**
 * Through how many layers all edges together pass at most. The longest edges over this are led
 * around the picture: a flow in which all steps wait for all would have millions.
 */
const mostPoints = 20_000

/**
 * Puts steps and the points of long edges into layers. All long edges of a step share their points.
 */
export function buildLayers({ ranks, edges }: RankedGraph): LayeredGraph {
  const last = ranks.reduce((most, rank) => Math.max(most, rank), -1)
  const layers = Array.from({ length: last + 1 }, (): LayerItem[] => [])
  const add = (step: number | null, rank: number): LayerItem => {
    const layer = layers[rank] ?? []
    const item = { step, rank, before: [], after: [], place: layer.length, position: 0 }
    layer.push(item)
    return item
  }
  const items = ranks.map((rank, step) => add(step, rank))
  const longest = longestThrough(ranks, edges)
  const points = new Map<number, LayerItem[]>()
  const routed = edges.map(({ from, to }): RoutedEdge => {
    const [source, target] = [items[from], items[to]]
    const span = (ranks[to] ?? 0) - (ranks[from] ?? 0)
    if (!source || !target || span - 1 > longest) return { from, to, through: null }
    const shared = points.get(from) ?? []
    points.set(from, shared)
    while (shared.length < span - 1) {
      const point = add(null, source.rank + shared.length + 1)
      link(shared.at(-1) ?? source, point)
      shared.push(point)
    }
    const through = shared.slice(0, span - 1)
    link(through.at(-1) ?? source, target)
    return { from, to, through }
  })
  return { layers, items, edges: routed }
}

function link(source: LayerItem, target: LayerItem): void {
  source.after.push(target)
  target.before.push(source)
}

/** How many layers an edge may pass through, so that all together stay below the most. */
function longestThrough(ranks: readonly number[], edges: readonly LayoutEdge[]): number {
  const passed = edges.map(({ from, to }) => (ranks[to] ?? 0) - (ranks[from] ?? 0) - 1)
  passed.sort((a, b) => a - b)
  let sum = 0
  for (const [index, length] of passed.entries()) {
    sum += length
    if (sum > mostPoints) return Math.min(length - 1, passed[index - 1] ?? 0)
  }
  return Infinity
}
