import { setImmediate } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { callSafely } from '../../../src/model/call-safely.ts'
import { uncaughtDuring } from '../../support/uncaught.ts'

it("what the app's function throws stops nothing, and is not swallowed", async () => {
  const done: string[] = []
  const uncaught = await uncaughtDuring(async () => {
    callSafely(() => {
      done.push('called')
      throw new Error('of the app')
    })
    done.push('went on')
    await setImmediate()
  })
  expect(done).toEqual(['called', 'went on'])
  expect(uncaught).toEqual(['of the app'])
})
