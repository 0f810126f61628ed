import { PgflowError, toPgflowError } from '../errors.ts'
import type { RunSnapshot } from '../model/entities.ts'
import type { Scheduler } from '../model/scheduler.ts'
import type { RunTransport } from '../transport/types.ts'
import { withTimeout } from './abort.ts'

/** The most runs that one RPC takes. */
const maxRuns = 200
/** The longest that a read waits for others, in ms, however many keep coming. */
const longestWait = 2_000

interface Waiter {
  /** Fires when nobody waits any more. */
  signal: AbortSignal
  onSent: () => void
  resolve: (snapshot: RunSnapshot | null) => void
  reject: (error: PgflowError) => void
}

/**
 * Gathers the reads of many runs into one RPC. After a reconnect every run is joined again, one
 * shortly after the other: a read waits until no other has come for a while.
 */
export class SnapshotBatch {
  readonly #transport: RunTransport
  readonly #scheduler: Scheduler
  readonly #timeout: number
  readonly #underWay = new Set<AbortController>()
  #waiting = new Map<string, Waiter[]>()
  /** Somebody waits who does not wait for others. */
  #isUrgent = false
  #cancelIdle = () => {}
  #cancelLongest: (() => void) | null = null

  constructor(transport: RunTransport, scheduler: Scheduler, timeout: number) {
    this.#transport = transport
    this.#scheduler = scheduler
    this.#timeout = timeout
  }

  /**
   * The run now, or null when there is none for this caller.
   * @param wait - how long to wait for others, in ms; 0 to send what is gathered at once.
   * @param onSent - called when the request goes out: until then it answers for later askers too.
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

  /** Sends what is gathered now. */
  sendNow(): void {
    if (this.#waiting.size > 0) this.#sendAfter(0)
  }

  /** Sends nothing any more, and stops waiting for what was sent. */
  dispose(): void {
    this.#stop()
    const error = new PgflowError('aborted', 'The run is not followed any more.')
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
    // It would keep whoever asked last.
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
