import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { vi } from 'vitest'
import type { Scheduler } from 'pinia-pgflow'

/** The real clock; it knows how many timers are waiting. */
export function countingScheduler(): Scheduler & { pending: () => number } {
  const timers = new Set<object>()
  return {
    now: () => Date.now(),
    random: () => Math.random(),
    after(ms, task) {
      const timer = setTimeout(() => {
        timers.delete(timer)
        task()
      }, ms)
      timers.add(timer)
      return () => {
        timers.delete(timer)
        clearTimeout(timer)
      }
    },
    pending: () => timers.size,
  }
}

/** How many listeners were put on window and document from now on, and not taken away. */
export function countListeners(): () => number {
  const added = [window, document].map((target) => [
    vi.spyOn(target, 'addEventListener'),
    vi.spyOn(target, 'removeEventListener'),
  ])
  return () => added.reduce((sum, [on, off]) => sum + calls(on) - calls(off), 0)
}

function calls(spy: { mock: { calls: unknown[] } } | undefined): number {
  return spy?.mock.calls.length ?? 0
}

/** Objects that should be gone once nobody uses them. */
export class Remains {
  readonly #refs: WeakRef<object>[] = []

  watch(object: object): void {
    this.#refs.push(new WeakRef(object))
  }

  get watched(): number {
    return this.#refs.length
  }

  /** How many of them are still held by somebody, after collecting garbage. */
  async held(): Promise<number> {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    // A reference made in this turn is kept until the next one.
    await new Promise((resolve) => setImmediate(resolve))
    collect()
    return this.#refs.filter((ref) => ref.deref() !== undefined).length
  }
}
