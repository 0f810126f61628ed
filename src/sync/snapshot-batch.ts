import { PgflowError, toPgflowError } from '../errors.ts'
import type { RunSnapshot } from '../model/entities.ts'
import type { Scheduler } from '../model/scheduler.ts'
import type { RunTransport } from '../transport/types.ts'

/** The most runs that one RPC takes. */
const maxRuns = 200
/** The longest that a read waits for others, in ms, however many keep coming. */
const longestWait = 2_000

interface Waiter {
  onSend: () => void
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
  readonly #inAir = new Set<AbortController>()
  #waiting = new Map<string, Waiter[]>()
  /** When what is gathered goes out at the latest. */
  #latest = 0
  #cancel = () => {}

  constructor(transport: RunTransport, scheduler: Scheduler, timeout: number) {
    this.#transport = transport
    this.#scheduler = scheduler
    this.#timeout = timeout
  }

  /**
   * The run now, or null when there is none for this caller.
   * @param wait - how long to wait for others, in ms; 0 to send what is gathered at once.
   * @param onSend - called when the request goes out: until then it answers for later askers too.
   */
  fetch(runId: string, wait: number, onSend: () => void): Promise<RunSnapshot | null> {
    const now = this.#scheduler.now()
    if (this.#waiting.size === 0) this.#latest = now + longestWait
    if (wait === 0) this.#latest = now
    const answer = new Promise<RunSnapshot | null>((resolve, reject) => {
      const waiters = this.#waiting.get(runId) ?? []
      this.#waiting.set(runId, [...waiters, { onSend, resolve, reject }])
    })
    this.#cancel()
    const left = Math.max(0, Math.min(wait, this.#latest - now))
    this.#cancel = this.#scheduler.after(left, () => this.#send())
    return answer
  }

  /** Sends nothing any more, and stops waiting for what was sent. */
  dispose(): void {
    this.#cancel()
    const error = new PgflowError('aborted', 'The run is not followed any more.')
    for (const { reject } of [...this.#waiting.values()].flat()) reject(error)
    this.#waiting.clear()
    for (const controller of this.#inAir) controller.abort(error)
  }

  #send(): void {
    const waiting = [...this.#waiting]
    this.#waiting = new Map()
    for (const { onSend } of waiting.flatMap(([, waiters]) => waiters)) onSend()
    for (let start = 0; start < waiting.length; start += maxRuns) {
      void this.#fetch(new Map(waiting.slice(start, start + maxRuns)))
    }
  }

  async #fetch(waiting: Map<string, Waiter[]>): Promise<void> {
    const controller = new AbortController()
    this.#inAir.add(controller)
    const cancel = this.#scheduler.after(this.#timeout, () => {
      controller.abort(new PgflowError('timeout', 'The server did not answer in time.'))
    })
    try {
      const found = await this.#transport.fetchRuns([...waiting.keys()], controller.signal)
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
      cancel()
      this.#inAir.delete(controller)
    }
  }
}
