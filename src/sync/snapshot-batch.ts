import { PgflowError } from '../errors.ts'
import type { RunSnapshot } from '../model/entities.ts'
import type { Scheduler } from '../model/scheduler.ts'
import type { PgflowTransport } from '../transport/types.ts'

/** The most runs that one RPC takes. */
const maxRuns = 200
/** The longest that a read waits for others, in ms, however many keep coming. */
const longestWait = 2_000

interface Waiter {
  onSend: () => void
  resolve: (snapshot: RunSnapshot | null) => void
  reject: (error: unknown) => void
}

/**
 * Gathers the reads of many runs into one RPC. After a reconnect every run is joined again, one
 * shortly after the other: a read waits until no other has come for a while.
 */
export class SnapshotBatch {
  readonly #transport: PgflowTransport
  readonly #scheduler: Scheduler
  readonly #timeout: number
  #waiting = new Map<string, Waiter[]>()
  #since = 0
  #cancel = () => {}

  constructor(transport: PgflowTransport, scheduler: Scheduler, timeout: number) {
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
    if (this.#waiting.size === 0) this.#since = this.#scheduler.now()
    const answer = new Promise<RunSnapshot | null>((resolve, reject) => {
      const waiters = this.#waiting.get(runId) ?? []
      this.#waiting.set(runId, [...waiters, { onSend, resolve, reject }])
    })
    this.#cancel()
    const waited = this.#scheduler.now() - this.#since
    const left = Math.min(wait, Math.max(0, longestWait - waited))
    this.#cancel = this.#scheduler.after(left, () => this.#send())
    return answer
  }

  /** Sends nothing any more. */
  dispose(): void {
    this.#cancel()
    const error = new PgflowError('aborted', 'The run is not followed any more.')
    for (const { reject } of [...this.#waiting.values()].flat()) reject(error)
    this.#waiting.clear()
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
    const cancel = this.#scheduler.after(this.#timeout, () => controller.abort())
    try {
      const snapshots = await this.#transport.fetchRuns([...waiting.keys()], controller.signal)
      const found = new Map(snapshots.map((snapshot) => [snapshot.run.run_id, snapshot]))
      for (const [runId, waiters] of waiting) {
        for (const { resolve } of waiters) resolve(found.get(runId) ?? null)
      }
    } catch (error) {
      for (const { reject } of [...waiting.values()].flat()) reject(error)
    } finally {
      cancel()
    }
  }
}
