import type { LayerItem } from './layers.ts'
import { meanOf } from './order.ts'

const passes = 6

/**
 * Gives each item its position across the layers: as near to those it is connected with as the
 * order and the distances in its layer allow.
 *
 * @param distance - how far the middles of two neighbours are apart at least.
 */
export function positionItems(
  layers: readonly LayerItem[][],
  distance: (item: LayerItem, next: LayerItem) => number,
): void {
  for (const layer of layers) stack(layer, distance)
  for (let pass = 0; pass < passes; pass += 1) {
    if (pass % 2 === 0) for (const layer of layers) pull(layer, 'before', distance)
    else for (const layer of layers.toReversed()) pull(layer, 'after', distance)
  }
}

type Distance = (item: LayerItem, next: LayerItem) => number

/** How far each item of a layer is from its first, when all are as near as they may be. */
function offsetsOf(layer: readonly LayerItem[], distance: Distance): number[] {
  let offset = 0
  return layer.map((item, index) => {
    const previous = layer[index - 1]
    if (previous) offset += distance(previous, item)
    return offset
  })
}

/** One after the other, around 0. */
function stack(layer: readonly LayerItem[], distance: Distance): void {
  const offsets = offsetsOf(layer, distance)
  const half = (offsets.at(-1) ?? 0) / 2
  layer.forEach((item, index) => (item.position = (offsets[index] ?? 0) - half))
}

interface Block {
  /** The sum of the wanted positions of its items, each without its offset, and their number. */
  sum: number
  count: number
}

const wantOf = ({ sum, count }: Block) => sum / count

/**
 * The positions with the least squared distance to the wanted ones, in the order of the layer.
 * Items that are too near form a block, which goes where its members want it on average.
 */
function pull(layer: readonly LayerItem[], side: 'before' | 'after', distance: Distance): void {
  const offsets = offsetsOf(layer, distance)
  const blocks: Block[] = []
  layer.forEach((item, index) => {
    const wanted = meanOf(item[side], item.position, (other) => other.position)
    let block: Block = { sum: wanted - (offsets[index] ?? 0), count: 1 }
    for (let last = blocks.at(-1); last && wantOf(last) > wantOf(block); last = blocks.at(-1)) {
      blocks.pop()
      block = { sum: last.sum + block.sum, count: last.count + block.count }
    }
    blocks.push(block)
  })
  let index = 0
  for (const block of blocks) {
    for (let member = 0; member < block.count; member += 1, index += 1) {
      const item = layer[index]
      if (item) item.position = wantOf(block) + (offsets[index] ?? 0)
    }
  }
}
