import { PgflowError, toPgflowError } from '../errors.ts'
import type { RunSnapshot } from '../model/entities.ts'
import type { Scheduler } from '../model/scheduler.ts'
import type { RunTransport } from '../transport/types.ts'
import { withTimeout } from './abort.ts'

/** The most runs that one RPC takes. */
const maxRuns = 200
/** The longest time that a request waits for others, in ms, even if more keep coming. */
const longestWait = 2_000

interface Waiter {
  /** Fires when the caller does not wait any more. */
  signal: AbortSignal
  onSent: () => void
  resolve: (snapshot: RunSnapshot | null) => void
  reject: (error: PgflowError) => void
}

/**
 * Combines the requests of many runs into one RPC. After a reconnect the channels of all runs are
 * joined in a short time: the RPC is sent when no further request has come for a while.
 */
export class SnapshotBatch {
  readonly #transport: RunTransport
  readonly #scheduler: Scheduler
  readonly #timeout: number
  readonly #underWay = new Set<AbortController>()
  #waiting = new Map<string, Waiter[]>()
  /** One of the requests is to be sent without waiting for others. */
  #isUrgent = false
  #cancelIdle = () => {}
  #cancelLongest: (() => void) | null = null

  constructor(transport: RunTransport, scheduler: Scheduler, timeout: number) {
    this.#transport = transport
    this.#scheduler = scheduler
    this.#timeout = timeout
  }

  /**
   * The run as it is now, or null if the caller can read none.
   * @param wait - how long to wait for other requests, in ms; 0 sends all of them at once.
   * @param onSent - called when the request is sent. Until then, later callers may share it.
   */
  fetch(
    runId: string,
    wait: number,
    signal: AbortSignal,
    onSent: () => void,
  ): Promise<RunSnapshot | null> {
    const answer = new Promise<RunSnapshot | null>((resolve, reject) => {
      const waiters = this.#waiting.get(runId) ?? []
      this.#waiting.set(runId, [...waiters, { signal, onSent, resolve, reject }])
    })
    this.#cancelLongest ??= this.#scheduler.after(longestWait, () => this.#send())
    this.#sendAfter(wait)
    return answer
  }

  /** Sends the waiting requests now. */
  sendNow(): void {
    if (this.#waiting.size > 0) this.#sendAfter(0)
  }

  /** Rejects the waiting requests, and aborts those under way. */
  dispose(): void {
    this.#stop()
    const error = new PgflowError('aborted', 'It is not followed any more.')
    for (const { reject } of [...this.#waiting.values()].flat()) reject(error)
    this.#waiting.clear()
    for (const controller of this.#underWay) controller.abort(error)
  }

  #sendAfter(wait: number): void {
    if (this.#isUrgent) return
    this.#cancelIdle()
    this.#cancelIdle = this.#scheduler.after(wait, () => this.#send())
    this.#isUrgent = wait === 0
  }

  #stop(): void {
    this.#isUrgent = false
    this.#cancelIdle()
    // The closure would keep the last caller in memory.
    this.#cancelIdle = () => {}
    this.#cancelLongest?.()
    this.#cancelLongest = null
  }

  #send(): void {
    this.#stop()
    const isWanted = ({ signal }: Waiter) => !signal.aborted
    const waiting = [...this.#waiting].filter(([, waiters]) => waiters.some(isWanted))
    this.#waiting = new Map()
    for (const { onSent } of waiting.flatMap(([, waiters]) => waiters)) onSent()
    for (let start = 0; start < waiting.length; start += maxRuns) {
      void this.#fetch(new Map(waiting.slice(start, start + maxRuns)))
    }
  }

  async #fetch(waiting: Map<string, Waiter[]>): Promise<void> {
    const controller = new AbortController()
    this.#underWay.add(controller)
    try {
      const found = await withTimeout(
        this.#scheduler,
        this.#timeout,
        [controller.signal],
        (signal) => this.#transport.fetchRuns([...waiting.keys()], signal),
      )
      for (const [runId, waiters] of waiting) {
        const result = found.get(runId) ?? null
        for (const { resolve, reject } of waiters) {
          if (result instanceof PgflowError) reject(result)
          else resolve(result)
        }
      }
    } catch (error) {
      const failure = toPgflowError(error)
      for (const { reject } of [...waiting.values()].flat()) reject(failure)
    } finally {
      this.#underWay.delete(controller)
    }
  }
}
