import { describe, expect, it } from 'vitest'
import {
  compareSteps,
  createdStep,
  idleConnection,
  isTerminal,
  pendingRun,
  stepKey,
} from '../../../src/model/entities.ts'

describe('steps', () => {
  const step = (slug: string, step_index: number | null) => ({
    ...createdStep('r', slug),
    step_index,
  })
  const sorted = (...steps: ReturnType<typeof step>[]) =>
    steps.sort(compareSteps).map(({ step_slug }) => step_slug)

  it('are in the order of the flow, and those without a place after them by slug', () => {
    const [a, b, c, d] = [step('a', null), step('b', 1), step('c', 0), step('d', null)]
    expect(sorted(a, b, c, d)).toEqual(['c', 'b', 'a', 'd'])
    expect(sorted(d, c, b, a)).toEqual(['c', 'b', 'a', 'd'])
  })
})

it.each([
  ['pending', false],
  ['created', false],
  ['started', false],
  ['completed', true],
  ['failed', true],
  ['skipped', true],
  ['cancelled', true],
  ['paused by a later pgflow', false],
])('whether a status is an end: %s is %s', (status, isEnd) => {
  expect(isTerminal(status)).toBe(isEnd)
})

it('a run that is being started shows what it was given, and nothing else', () => {
  const { run_id, flow_slug, status, input, ...rest } = pendingRun('r', 'f', { a: 1 })
  expect({ run_id, flow_slug, status, input }).toEqual({
    run_id: 'r',
    flow_slug: 'f',
    status: 'pending',
    input: { a: 1 },
  })
  expect(new Set(Object.values(rest))).toEqual(new Set([null]))
})

it('a step without any event is created, and nothing else', () => {
  const { run_id, step_slug, status, ...rest } = createdStep('r', 'a')
  expect({ run_id, step_slug, status }).toEqual({ run_id: 'r', step_slug: 'a', status: 'created' })
  expect(new Set(Object.values(rest))).toEqual(new Set([null]))
})

it('a run that nobody observes is idle, and nothing is wrong with it', () => {
  expect(idleConnection()).toEqual({ status: 'idle', seq: null, stalled: false, error: null })
})

it('the key of a step contains the run and the step', () => {
  expect(stepKey('r', 'a')).toBe('r/a')
})
