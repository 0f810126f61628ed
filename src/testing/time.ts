import { PgflowError } from '../errors.ts'
import type { Scheduler } from '../model/scheduler.ts'

/** A clock that detects when nothing is under way. */
export interface TestTime extends Scheduler {
  /** Resolves when nothing is under way any more, short waits included. */
  settled: () => Promise<void>
  /**
   * Advances time, and runs everything that is due by then.
   * @throws PgflowError `invalid_options` if time passes by itself.
   */
  advance: (ms: number) => Promise<void>
}

/**
 * Waits up to this length, in ms, only combine work (requests that wait for others, a channel that
 * is closed at once). Tests need not advance time for them.
 */
export const shortWait = 250

/** How many turns of the promise queue run before a short wait ends. */
const turnsOfShortWait = 32
/** Longer than any chain of promises. */
const manyTurns = 500

interface Timer {
  at: number
  isShort: boolean
  task: () => void
}

/**
 * Time that passes only when a test advances it. Short waits end as soon as nothing else is under
 * way; time then advances by their length, so the order of events is kept.
 */
export function virtualTime(): TestTime & { readonly pending: number } {
  let time = 0
  let timers: Timer[] = []
  let isPumping = false

  function runNext(until: number): boolean {
    const [first, ...rest] = [...timers].sort((a, b) => a.at - b.at)
    if (!first || first.at > until) return false
    timers = rest
    time = Math.max(time, first.at)
    first.task()
    return true
  }

  async function pump(): Promise<void> {
    if (isPumping) return
    isPumping = true
    await promiseTurns(turnsOfShortWait)
    while (timers.some((timer) => timer.isShort)) {
      const soonest = Math.min(...timers.filter((timer) => timer.isShort).map(({ at }) => at))
      runNext(soonest)
      await promiseTurns(turnsOfShortWait)
    }
    isPumping = false
  }

  return {
    now: () => time,
    random: () => 0.5,
    after(ms, task) {
      const timer = { at: time + ms, isShort: ms <= shortWait, task }
      timers.push(timer)
      if (timer.isShort) void pump()
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
    settled: everyPromise,
    async advance(ms) {
      const end = time + ms
      await everyPromise()
      while (runNext(end)) await everyPromise()
      time = Math.max(time, end)
    },
    get pending() {
      return timers.length
    },
  }
}

/** Real time, of the given scheduler. `settled` resolves when no short wait is under way. */
export function timeOf(scheduler: Scheduler): TestTime {
  const waits = new Set<Promise<void>>()
  return {
    now: scheduler.now,
    random: scheduler.random,
    after(ms, task) {
      if (ms > shortWait) return scheduler.after(ms, task)
      let end = () => {}
      const wait = new Promise<void>((resolve) => (end = resolve))
      waits.add(wait)
      void wait.then(() => waits.delete(wait))
      const cancel = scheduler.after(ms, () => {
        end()
        task()
      })
      return () => {
        end()
        cancel()
      }
    },
    async settled() {
      do {
        await Promise.all(waits)
        await everyPromise()
      } while (waits.size > 0)
    },
    advance() {
      const error = new PgflowError('invalid_options', 'Time passes by itself here.', {
        hint: 'Leave out `realTime` and `scheduler`, or move the clock that was given.',
      })
      return Promise.reject(error)
    },
  }
}

/**
 * Resolves when every promise that can settle has. A message to oneself comes after all of them,
 * and no library of fake timers takes it for a timer.
 */
async function everyPromise(): Promise<void> {
  // Not in every DOM that tests run in.
  if (typeof MessageChannel === 'undefined') return promiseTurns(manyTurns)
  const { port1, port2 } = new MessageChannel()
  await new Promise<void>((resolve) => {
    port1.onmessage = () => resolve()
    port2.postMessage(null)
  })
  port1.close()
}

async function promiseTurns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) await Promise.resolve()
}
