import type { Json } from 'pinia-pgflow'
import type { TestFlow } from 'pinia-pgflow/testing'

/** What a worker answers: with an output, or with a failure that is the last one or not. */
export type Move =
  { step: string; task?: number; output: Json } | { step: string; task?: number; failure: string }

/** A flow, and how it is worked on. */
export interface Scenario {
  flow: TestFlow
  maxAttempts?: number
  input?: Json
  moves: Move[]
}

/** What the two backends are compared by. */
export const scenarios: Record<string, Scenario> = {
  'a chain': {
    flow: { a: {}, b: { deps: ['a'] }, c: { deps: ['b'] } },
    moves: [
      { step: 'a', output: { title: 'x' } },
      { step: 'b', output: null },
      { step: 'c', output: 'end' },
    ],
  },
  'a fan-out and fan-in, with several leaves': {
    flow: {
      start: {},
      right: { deps: ['start'] },
      left: { deps: ['start'] },
      join: { deps: ['left', 'right'] },
      alone: {},
    },
    moves: [
      { step: 'start', output: 1 },
      { step: 'left', output: 'l' },
      { step: 'alone', output: [] },
      { step: 'right', output: 'r' },
      { step: 'join', output: ['l', 'r'] },
    ],
  },
  'a map over an output, and a map over that': {
    flow: {
      list: {},
      each: { deps: ['list'], type: 'map' },
      again: { deps: ['each'], type: 'map' },
      sum: { deps: ['again'] },
    },
    moves: [
      { step: 'list', output: [3, 4, 5] },
      { step: 'each', task: 1, output: 8 },
      { step: 'each', task: 0, output: 6 },
      { step: 'each', task: 2, output: 10 },
      { step: 'again', task: 0, output: 'x' },
      { step: 'again', task: 1, output: 'y' },
      { step: 'again', task: 2, output: 'z' },
      { step: 'sum', output: { total: 24 } },
    ],
  },
  'a map over the input, of more tasks than messages': {
    flow: { each: { type: 'map' } },
    input: Array.from({ length: 120 }, (_, index) => index),
    moves: Array.from({ length: 120 }, (_, task) => ({ step: 'each', task, output: task * 2 })),
  },
  'maps over an empty output': {
    flow: {
      list: {},
      each: { deps: ['list'], type: 'map' },
      beside: { deps: ['list'], type: 'map' },
      again: { deps: ['each'], type: 'map' },
      sum: { deps: ['again', 'beside'] },
    },
    moves: [
      { step: 'list', output: [] },
      { step: 'sum', output: 0 },
    ],
  },
  'a run that is over at once, as its input is empty': {
    flow: { each: { type: 'map' }, again: { deps: ['each'], type: 'map' } },
    input: [],
    moves: [],
  },
  'a step that fails while others are under way': {
    flow: { a: {}, b: {}, c: { deps: ['a', 'b'] } },
    moves: [{ step: 'b', failure: 'the mill is closed' }],
  },
  'a task of a map that fails': {
    flow: { each: { type: 'map' }, after: { deps: ['each'] } },
    input: [1, 2, 3],
    moves: [
      { step: 'each', task: 1, output: 2 },
      { step: 'each', task: 2, failure: 'too much' },
    ],
  },
  'a step that recovers, and one that does not': {
    flow: { a: {}, b: { deps: ['a'] } },
    maxAttempts: 3,
    moves: [
      { step: 'a', failure: 'once' },
      { step: 'a', failure: 'twice' },
      { step: 'a', output: 'third time lucky' },
      { step: 'b', failure: 'one' },
      { step: 'b', failure: 'two' },
      { step: 'b', failure: 'three' },
    ],
  },
  'a step that returns no array to the map after it': {
    flow: { list: {}, each: { deps: ['list'], type: 'map' } },
    moves: [{ step: 'list', output: { not: 'an array' } }],
  },
  'a map of more tasks than messages, some of which are tried again': {
    flow: { each: { type: 'map' } },
    maxAttempts: 2,
    input: Array.from({ length: 120 }, (_, index) => index),
    moves: Array.from({ length: 9 }, (_, task) => ({ step: 'each', task, failure: `no ${task}` })),
  },
  'outputs that are too large only as Postgres writes them': {
    flow: { wide: {}, long: { deps: ['wide'] } },
    moves: [
      { step: 'wide', output: Array<number>(70_000).fill(1) },
      { step: 'long', output: Array<number>(700).fill(1e300) },
    ],
  },
}
