import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  layoutSteps,
  type GraphDirection,
  type GraphLayout,
  type LayoutNode,
  type LayoutOptions,
} from '../../../src/components/layout/layout-steps.ts'
import { rankSteps, type LayoutStep } from '../../../src/components/layout/ranks.ts'

const options: LayoutOptions = { direction: 'right', nodeWidth: 190, nodeHeight: 52 }
const step = (slug: string, ...deps: string[]): LayoutStep => ({ slug, deps })

/** Flows as pgflow has them: each step after those it waits for. */
const flows = fc
  .array(fc.array(fc.nat(), { maxLength: 4 }), { minLength: 1, maxLength: 40 })
  .map((all) =>
    all.map((picks, index) =>
      step(`s${index}`, ...(index === 0 ? [] : picks.map((pick) => `s${pick % index}`))),
    ),
  )
/** Whatever a database could be made to say. */
const names = fc.oneof(
  fc.constantFrom('a', 'b', 'c', 'd', '', '__proto__', 'constructor', 'toString'),
  fc.string({ maxLength: 3 }),
)
const anything = fc.array(fc.record({ slug: names, deps: fc.array(names, { maxLength: 4 }) }), {
  maxLength: 20,
})
const directions = fc.constantFrom<GraphDirection>('right', 'down')

function overlapping({ nodes }: GraphLayout, { nodeWidth, nodeHeight }: LayoutOptions): string[] {
  return nodes.flatMap((a, index) =>
    nodes
      .slice(index + 1)
      .filter((b) => Math.abs(a.x - b.x) < nodeWidth && Math.abs(a.y - b.y) < nodeHeight)
      .map((b) => `${a.slug} and ${b.slug}`),
  )
}

/** Points of an edge as it is drawn: the bends are those of its path, followed closely. */
function drawn(path: string): { x: number; y: number }[] {
  const parts = path.match(/[MLC][^MLC]*/g) ?? []
  const points: { x: number; y: number }[] = []
  for (const part of parts) {
    const n = part.slice(1).split(' ').map(Number)
    const [a = NaN, b = NaN, c = NaN, d = NaN, e = NaN, f = NaN] = n
    const from = points.at(-1) ?? { x: a, y: b }
    for (let at = 1; at <= 32; at += 1) {
      const t = at / 32
      const u = 1 - t
      points.push(
        part.startsWith('C')
          ? {
              x: u ** 3 * from.x + 3 * u * u * t * a + 3 * u * t * t * c + t ** 3 * e,
              y: u ** 3 * from.y + 3 * u * u * t * b + 3 * u * t * t * d + t ** 3 * f,
            }
          : { x: u * from.x + t * a, y: u * from.y + t * b },
      )
    }
  }
  return points
}

function crossed(layout: GraphLayout, { nodeWidth, nodeHeight }: LayoutOptions): string[] {
  return layout.edges.flatMap(({ from, to, path }) => {
    const points = drawn(path)
    const isInside = (node: LayoutNode) =>
      points.some(
        ({ x, y }) =>
          x > node.x + 0.01 &&
          x < node.x + nodeWidth - 0.01 &&
          y > node.y + 0.01 &&
          y < node.y + nodeHeight - 0.01,
      )
    return layout.nodes.filter(isInside).map((node) => `${from} → ${to} through ${node.slug}`)
  })
}

describe('the picture of any flow', () => {
  it('has every step and every edge once', () => {
    fc.assert(
      fc.property(flows, directions, (steps, direction) => {
        const layout = layoutSteps(steps, { ...options, direction })
        expect(layout.nodes.map((node) => node.slug)).toEqual(steps.map(({ slug }) => slug))
        const wanted = steps.flatMap(({ slug, deps }) =>
          [...new Set(deps)].map((dep) => `${dep}>${slug}`),
        )
        expect(layout.edges.map(({ from, to }) => `${from}>${to}`).sort()).toEqual(wanted.sort())
      }),
    )
  })

  it('has no two steps in one place, and all of them inside', () => {
    fc.assert(
      fc.property(flows, directions, (steps, direction) => {
        const own = { ...options, direction }
        const layout = layoutSteps(steps, own)
        expect(overlapping(layout, own)).toEqual([])
        for (const { x, y } of layout.nodes) {
          expect(Math.min(x, y)).toBeGreaterThanOrEqual(0)
          expect(x + own.nodeWidth).toBeLessThanOrEqual(layout.width)
          expect(y + own.nodeHeight).toBeLessThanOrEqual(layout.height)
        }
      }),
    )
  })

  it('has no edge through a step', () => {
    fc.assert(
      fc.property(flows, directions, (steps, direction) => {
        const own = { ...options, direction }
        expect(crossed(layoutSteps(steps, own), own)).toEqual([])
      }),
    )
  })

  it('has each step after those it waits for', () => {
    fc.assert(
      fc.property(flows, (steps) => {
        const at = new Map(layoutSteps(steps, options).nodes.map((node) => [node.slug, node.x]))
        for (const { slug, deps } of steps) {
          for (const dep of deps) expect(at.get(dep)).toBeLessThan(at.get(slug) ?? 0)
        }
      }),
    )
  })

  it('is the same each time', () => {
    fc.assert(
      fc.property(anything, (steps) => {
        expect(layoutSteps(structuredClone(steps), options)).toEqual(layoutSteps(steps, options))
      }),
    )
  })
})

describe('what is no flow', () => {
  it('is drawn as far as it can be, whatever it is', () => {
    fc.assert(
      fc.property(anything, (steps) => {
        const layout = layoutSteps(steps, options)
        expect(layout.nodes.map((node) => node.slug)).toEqual([
          ...new Set(steps.map(({ slug }) => slug)),
        ])
        expect(overlapping(layout, options)).toEqual([])
        expect(crossed(layout, options)).toEqual([])
        for (const { from, to } of layout.edges) expect(from).not.toBe(to)
      }),
    )
  })

  it('has a cycle opened at its first step', () => {
    const { ranks, edges } = rankSteps([step('a', 'c'), step('b', 'a'), step('c', 'b')])
    expect(ranks).toEqual([0, 1, 2])
    expect(edges).toEqual([
      { from: 0, to: 1 },
      { from: 1, to: 2 },
    ])
  })

  it('leaves out a dependency on itself and on a step that is not there', () => {
    const layout = layoutSteps([step('a', 'a', 'nowhere'), step('b', 'a', 'a')], options)
    expect(layout.edges.map(({ from, to }) => [from, to])).toEqual([['a', 'b']])
  })

  it('is an empty picture where there are no steps', () => {
    expect(layoutSteps([], options)).toMatchObject({ nodes: [], edges: [] })
  })
})

describe('a flow of 2,000 steps', () => {
  const count = 2000
  const many = (deps: (index: number) => number[]) =>
    Array.from({ length: count }, (_, index) =>
      step(`s${index}`, ...deps(index).map((dep) => `s${dep}`)),
    )
  const shapes: [string, LayoutStep[]][] = [
    ['a chain', many((index) => (index === 0 ? [] : [index - 1]))],
    ['a fan', many((index) => (index === 0 ? [] : [0]))],
    [
      'a chain whose last step takes all',
      many((index) =>
        index === count - 1 ? [...Array(index).keys()] : index === 0 ? [] : [index - 1],
      ),
    ],
    ['a chain in which all take the first', many((index) => (index === 0 ? [] : [0, index - 1]))],
  ]
  it.each(shapes)('as %s is drawn with nothing over another', (_name, steps) => {
    const layout = layoutSteps(steps, options)
    expect(layout.nodes).toHaveLength(count)
    const columns = new Map<number, LayoutNode[]>()
    for (const node of layout.nodes) columns.set(node.x, [...(columns.get(node.x) ?? []), node])
    for (const column of columns.values()) {
      const tops = column.map((node) => node.y).sort((a, b) => a - b)
      tops.slice(1).forEach((y, index) => {
        expect(y - (tops[index] ?? 0)).toBeGreaterThanOrEqual(options.nodeHeight)
      })
    }
    expect(layout.edges).toHaveLength(steps.flatMap(({ deps }) => [...new Set(deps)]).length)
    const longest = layout.edges.toSorted((a, b) => b.path.length - a.path.length).slice(0, 3)
    const taken = [...longest, ...layout.edges.filter((_, index) => index % 499 === 0)]
    expect(crossed({ ...layout, edges: taken }, options)).toEqual([])
  })
})
