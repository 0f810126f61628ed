import type { GraphLayout, LayoutNode, LayoutPath } from './layout/layout-steps.ts'
import type { Viewport } from './use-viewport.ts'

/** Below this size, mounting the whole graph costs less than following its visible part. */
const mostAtOnce = 150

/** A node and its place among all. */
export interface PlacedNode {
  node: LayoutNode
  index: number
}

/** The nodes that are seen, and those that are to be there all the same. */
export function visibleNodes(
  { nodes }: GraphLayout,
  view: Viewport,
  size: { width: number; height: number },
  kept: ReadonlySet<string | null>,
): PlacedNode[] {
  const placed = nodes.map((node, index) => ({ node, index }))
  if (nodes.length <= mostAtOnce) return placed
  return placed.filter(
    ({ node: { x, y, slug } }) =>
      kept.has(slug) ||
      (x < view.left + view.width &&
        x + size.width > view.left &&
        y < view.top + view.height &&
        y + size.height > view.top),
  )
}

/** The path of all edges that may be seen. */
export function visibleEdges({ edges, nodes }: GraphLayout, view: Viewport): string {
  if (nodes.length <= mostAtOnce) return edges.map(({ path }) => path).join('')
  return edges
    .filter((edge) => isNear(edge, view))
    .map(({ path }) => path)
    .join('')
}

/** Whether the points of an edge lie around the visible part, or in it. */
function isNear({ points }: LayoutPath, view: Viewport): boolean {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const { x, y } of points) {
    left = Math.min(left, x)
    top = Math.min(top, y)
    right = Math.max(right, x)
    bottom = Math.max(bottom, y)
  }
  return (
    left <= view.left + view.width &&
    right >= view.left &&
    top <= view.top + view.height &&
    bottom >= view.top
  )
}
