import { buildLayers, type LayerItem, type RoutedEdge } from './layers.ts'
import { orderLayers } from './order.ts'
import { positionItems } from './positions.ts'
import { rankSteps, type LayoutStep } from './ranks.ts'

/** Which way the edges of a graph point. */
export type GraphDirection = 'right' | 'down'

/** Sizes of a picture, in px. */
export interface LayoutOptions {
  direction: GraphDirection
  nodeWidth: number
  nodeHeight: number
}

/** Where a step is drawn; `x` and `y` are its top left corner. */
export interface LayoutNode {
  slug: string
  /** The slugs of the steps it is drawn after. */
  deps: string[]
  x: number
  y: number
  /** Its layer, and its place in it. */
  rank: number
  place: number
}

export interface Point {
  x: number
  y: number
}

/** How an edge is drawn: points, between two of which it is straight or bent (`path`). */
export interface LayoutPath {
  from: string
  to: string
  points: Point[]
  /** The `d` of an SVG path. */
  path: string
}

export interface GraphLayout {
  width: number
  height: number
  nodes: LayoutNode[]
  edges: LayoutPath[]
}

/** Between two layers, between two neighbours, and around the picture. */
const layerGap = 56
const nodeGap = 20
/** The space that an edge keeps free in the layers that it passes through. */
const edgeGap = 12
const margin = 12

/**
 * Draws a flow in layers, each step after those it waits for. It is the same for the same steps,
 * and draws what can be drawn of a flow that cannot be.
 */
export function layoutSteps(given: readonly LayoutStep[], options: LayoutOptions): GraphLayout {
  const steps = withoutTwins(given)
  const ranked = rankSteps(steps)
  const { layers, items, edges } = buildLayers(ranked)
  orderLayers(layers)
  const isRight = options.direction === 'right'
  const [length, breadth] = isRight
    ? [options.nodeWidth, options.nodeHeight]
    : [options.nodeHeight, options.nodeWidth]
  const sizeOf = (item: LayerItem) => (item.step === null ? 0 : breadth)
  const gapOf = (a: LayerItem, b: LayerItem) =>
    a.step === null || b.step === null ? edgeGap : nodeGap
  positionItems(layers, (a, b) => (sizeOf(a) + sizeOf(b)) / 2 + gapOf(a, b))
  // Beside everything, for edges that are led around.
  const lanes = edges.some((edge) => edge.through === null) ? nodeGap : 0
  const first = layers.flat().reduce((least, a) => Math.min(least, a.position - sizeOf(a) / 2), 0)
  const shift = margin + lanes - first
  for (const item of layers.flat()) item.position = Math.round(item.position + shift)
  const end = layers.flat().reduce((most, a) => Math.max(most, a.position + sizeOf(a) / 2), 0)
  const across = Math.ceil(end + margin)
  const along = margin * 2 + layers.length * (length + layerGap) - (layers.length ? layerGap : 0)
  const toPoint = (main: number, cross: number): Point =>
    isRight ? { x: main, y: cross } : { x: cross, y: main }
  const startOf = (rank: number) => margin + rank * (length + layerGap)
  const sources = steps.map((): string[] => [])
  for (const { from, to } of edges) sources[to]?.push(steps[from]?.slug ?? '')
  const nodes = items.map((item, index): LayoutNode => {
    const corner = toPoint(startOf(item.rank), item.position - breadth / 2)
    const slug = steps[index]?.slug ?? ''
    return { slug, deps: sources[index] ?? [], ...corner, rank: item.rank, place: item.place }
  })
  const frame = { length, startOf, toPoint, isRight, lane: margin }
  const size = toPoint(along, across)
  return {
    width: size.x,
    height: size.y,
    nodes,
    edges: edges.map((edge) => drawEdge(edge, items, nodes, frame)),
  }
}

/** A name that is there twice is one step: the first. */
function withoutTwins(steps: readonly LayoutStep[]): LayoutStep[] {
  const names = new Set<string>()
  return steps.filter(({ slug }) => !names.has(slug) && names.add(slug))
}

interface Frame {
  /** How long a layer is in the direction of the edges, and where each starts. */
  length: number
  startOf: (rank: number) => number
  toPoint: (main: number, cross: number) => Point
  isRight: boolean
  /** Across the layers: where edges are led that go around. */
  lane: number
}

function drawEdge(
  { from, to, through }: RoutedEdge,
  items: readonly LayerItem[],
  nodes: readonly LayoutNode[],
  frame: Frame,
): LayoutPath {
  const ends = { from: nodes[from]?.slug ?? '', to: nodes[to]?.slug ?? '' }
  const [source, target] = [items[from], items[to]]
  if (!source || !target) return { ...ends, points: [], path: '' }
  const { startOf, length, toPoint } = frame
  const exit = startOf(source.rank) + length
  const entry = startOf(target.rank)
  if (through === null) {
    const [up, down] = [exit + layerGap / 3, entry - layerGap / 3]
    const points = [
      toPoint(exit, source.position),
      toPoint(up, source.position),
      toPoint(up, frame.lane),
      toPoint(down, frame.lane),
      toPoint(down, target.position),
      toPoint(entry, target.position),
    ]
    return { ...ends, points, path: straight(points) }
  }
  const points = [
    toPoint(exit, source.position),
    ...through.flatMap(({ rank, position }) => [
      toPoint(startOf(rank), position),
      toPoint(startOf(rank) + length, position),
    ]),
    toPoint(entry, target.position),
  ]
  return { ...ends, points, path: bent(points, frame.isRight) }
}

const write = ({ x, y }: Point) => `${x} ${y}`

function straight([start, ...points]: readonly Point[]): string {
  return start ? `M${write(start)}${points.map((point) => `L${write(point)}`).join('')}` : ''
}

/** Bent between two layers, straight within one. Its bends stay between the layers. */
function bent(points: readonly Point[], isRight: boolean): string {
  let path = ''
  points.forEach((point, index) => {
    const previous = points[index - 1]
    if (!previous) path += `M${write(point)}`
    else if (index % 2 === 0) path += `L${write(point)}`
    else if (isRight) {
      const middle = (previous.x + point.x) / 2
      path += `C${middle} ${previous.y} ${middle} ${point.y} ${write(point)}`
    } else {
      const middle = (previous.y + point.y) / 2
      path += `C${previous.x} ${middle} ${point.x} ${middle} ${write(point)}`
    }
  })
  return path
}
