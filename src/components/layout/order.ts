import type { LayerItem } from './layers.ts'

/** More sweeps make no visible difference. */
const sweeps = 4

/**
 * Orders the items in each layer so that few edges cross: each comes to the mean place of those it
 * is connected with in the layer beside it. Of equals the one that came first stays first.
 */
export function orderLayers(layers: readonly LayerItem[][]): void {
  for (let sweep = 0; sweep < sweeps; sweep += 1) {
    if (sweep % 2 === 0) for (const layer of layers) orderLayer(layer, 'before')
    else for (const layer of layers.toReversed()) orderLayer(layer, 'after')
  }
}

function orderLayer(layer: LayerItem[], side: 'before' | 'after'): void {
  const means = new Map(layer.map((item) => [item, meanOf(item[side], item.place, placeOf)]))
  layer.sort((a, b) => (means.get(a) ?? 0) - (means.get(b) ?? 0) || a.place - b.place)
  layer.forEach((item, place) => (item.place = place))
}

const placeOf = (item: LayerItem) => item.place

/** The mean of the values; `none` if there are none. */
export function meanOf(
  items: readonly LayerItem[],
  none: number,
  valueOf: (item: LayerItem) => number,
): number {
  if (items.length === 0) return none
  return items.reduce((sum, item) => sum + valueOf(item), 0) / items.length
}
