import { expect, it } from 'vitest'
import { RunChannelBudget } from '../../../src/sync/run-channel-budget.ts'

/** Who waits for a channel, and takes it when one is free. */
function waiter(budget: RunChannelBudget) {
  let has = false
  const ask = () => {
    has = budget.take(ask)
  }
  ask()
  return { ask, has: () => has }
}

it('hands out as many channels as there are, and those that are given back', () => {
  const budget = new RunChannelBudget(1)
  expect(waiter(budget).has()).toBe(true)
  budget.give()
  expect([waiter(budget).has(), waiter(budget).has()]).toEqual([true, false])
})

it('gives a channel that is free again to who has waited longest, and to nobody else', () => {
  const budget = new RunChannelBudget(1)
  const [holder, first, second] = [waiter(budget), waiter(budget), waiter(budget)]
  budget.give()
  expect([holder.has(), first.has(), second.has()]).toEqual([true, true, false])
  budget.give()
  expect(second.has()).toBe(true)
})

it('gives nothing to who does not wait any more', () => {
  const budget = new RunChannelBudget(1)
  const [, gone, next] = [waiter(budget), waiter(budget), waiter(budget)]
  budget.forget(gone.ask)
  budget.give()
  expect([gone.has(), next.has()]).toEqual([false, true])
})

it('gives nothing to anybody when all is over', () => {
  const budget = new RunChannelBudget(1)
  const [, waiting] = [waiter(budget), waiter(budget)]
  budget.dispose()
  budget.give()
  expect(waiting.has()).toBe(false)
})
