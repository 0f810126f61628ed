import type { GraphDirection, LayoutNode } from './layout/layout-steps.ts'

/** How the keyboard moves from one step to another: along the edges, or within a layer. */
type Move = 'back' | 'forward' | 'previous' | 'next' | 'first' | 'last'

const keys: Readonly<Record<GraphDirection, ReadonlyMap<string, Move>>> = {
  right: new Map<string, Move>([
    ['ArrowLeft', 'back'],
    ['ArrowRight', 'forward'],
    ['ArrowUp', 'previous'],
    ['ArrowDown', 'next'],
    ['Home', 'first'],
    ['End', 'last'],
  ]),
  down: new Map<string, Move>([
    ['ArrowUp', 'back'],
    ['ArrowDown', 'forward'],
    ['ArrowLeft', 'previous'],
    ['ArrowRight', 'next'],
    ['Home', 'first'],
    ['End', 'last'],
  ]),
}

/**
 * The place in `nodes` that a key leads to from `active`; null for a key that leads nowhere. Along
 * the edges it is the nearest step that is connected, or the nearest of the layer where none is.
 */
export function moveByKey(
  nodes: readonly LayoutNode[],
  active: number,
  key: string,
  direction: GraphDirection,
): number | null {
  const move = keys[direction].get(key)
  const from = nodes[active]
  if (!move || !from) return null
  if (move === 'first') return 0
  if (move === 'last') return nodes.length - 1
  if (move === 'previous' || move === 'next') return withinLayer(nodes, from, move)
  return alongEdges(nodes, from, move, direction)
}

/** The candidate with the lowest cost; null if there is none. */
function cheapest(
  nodes: readonly LayoutNode[],
  costOf: (node: LayoutNode) => number | null,
): number | null {
  let found: number | null = null
  let least = Infinity
  nodes.forEach((node, index) => {
    const cost = costOf(node)
    if (cost === null || cost >= least) return
    found = index
    least = cost
  })
  return found
}

/** Places in a layer have gaps, where edges pass. */
function withinLayer(
  nodes: readonly LayoutNode[],
  from: LayoutNode,
  move: 'previous' | 'next',
): number | null {
  return cheapest(nodes, ({ rank, place }) => {
    const distance = move === 'next' ? place - from.place : from.place - place
    return rank === from.rank && distance > 0 ? distance : null
  })
}

function alongEdges(
  nodes: readonly LayoutNode[],
  from: LayoutNode,
  move: 'back' | 'forward',
  direction: GraphDirection,
): number | null {
  const sources = new Set(from.deps)
  const isConnected = (node: LayoutNode) =>
    move === 'back' ? sources.has(node.slug) : node.deps.includes(from.slug)
  const rank = from.rank + (move === 'back' ? -1 : 1)
  const across = (node: LayoutNode) => (direction === 'right' ? node.y : node.x)
  return cheapest(nodes, (node) => {
    const connected = isConnected(node)
    if (!connected && node.rank !== rank) return null
    // Connected steps come before others, then the nearest layer.
    const layers = connected ? Math.abs(node.rank - from.rank) : 1e6
    return layers * 1e6 + Math.abs(across(node) - across(from))
  })
}
