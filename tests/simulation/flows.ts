import type { Json } from '../../src/model/entities.ts'
import { defineFlow } from '../../src/testing/definition.ts'

/** The flows of every schedule, by what is special about them. */
export const flows = [
  defineFlow('chain', { first: {}, second: { deps: ['first'] } }),
  defineFlow('fan', {
    split: {},
    right: { deps: ['split'] },
    left: { deps: ['split'] },
    join: { deps: ['left', 'right'] },
  }),
  defineFlow('maps', {
    list: {},
    each: { deps: ['list'], type: 'map' },
    sum: { deps: ['each'] },
  }),
  defineFlow('single', { only: {} }),
] as const

/** The slug of a flow by its number. */
export function flowSlug(flow: number): string {
  return (flows[flow % flows.length] ?? flows[0]).slug
}

/** Which flow a run is of. */
export function flowOf(run: number): string {
  return flowSlug(run)
}

/** What a run is started with. */
export function inputOf(run: number): Json {
  return { of: run, text: ['a', { b: null }] }
}

/** The id of a run by its number. */
export function runIdOf(run: number): string {
  return `${run.toString(16).padStart(8, '0')}-abcd-4abc-8abc-abcdefabcdef`
}

/** The number of a run by its id. */
export function runOfId(runId: string): number {
  return Number.parseInt(runId.slice(0, 8), 16)
}
