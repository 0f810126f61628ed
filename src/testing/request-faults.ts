import { PgflowError, toPgflowError, type PgflowErrorCode } from '../errors.ts'
import type { TestPageActivity } from './test-page-activity.ts'

/**
 * The kinds of requests: a start, the state of runs, the seqs of runs, a list of runs, or the
 * shape of a flow.
 */
export type RequestKind = 'start' | 'read' | 'seqs' | 'list' | 'flow'

type Fate =
  | { kind: 'fail'; error: PgflowError }
  | { kind: 'lose' }
  | { kind: 'hang'; released: Promise<void> }

interface PlannedFate {
  of: RequestKind | undefined
  fate: Fate
}

/** What happens to requests on their way to the database and back. */
export class RequestFaults {
  readonly #pageActivity: TestPageActivity
  #planned: PlannedFate[] = []
  /** How many snapshots are still to come from an outdated replica, and by how much. */
  #outdated = { left: 0, by: 0 }

  constructor(pageActivity: TestPageActivity) {
    this.#pageActivity = pageActivity
  }

  plan(of: RequestKind | undefined, fate: Fate): void {
    this.#planned.push({ of, fate })
  }

  planOutdated(left: number, by: number): void {
    this.#outdated = { left, by }
  }

  /** How many transactions the database lags behind: the next snapshot, and seqs until then. */
  get age(): number {
    return this.#outdated.left === 0 ? 0 : this.#outdated.by
  }

  /** How many transactions the next snapshot lags behind. */
  nextAge(): number {
    const { age } = this
    if (age > 0) this.#outdated.left -= 1
    return age
  }

  clear(): void {
    this.#planned = []
    this.#outdated = { left: 0, by: 0 }
  }

  /**
   * Does `work` now, like a database with a short latency, and responds later.
   * @throws PgflowError
   */
  request<T>(kind: RequestKind, signal: AbortSignal, work: () => T): Promise<T> {
    const fate = this.#take(kind)
    if (signal.aborted) return Promise.reject(reasonOf(signal))
    if (!this.#pageActivity.isOnline()) {
      return Promise.reject(failureOf('offline', 'This device is offline.'))
    }
    if (fate?.kind === 'fail') return Promise.reject(fate.error)
    const answer = fate?.kind === 'hang' ? fate.released.then(work) : attempt(work)
    const arrived =
      fate?.kind === 'lose'
        ? answer.then(() => Promise.reject(failureOf('unreachable', 'The server did not respond.')))
        : answer
    return orAborted(arrived, signal)
  }

  #take(kind: RequestKind): Fate | undefined {
    const index = this.#planned.findIndex(({ of }) => (of ?? kind) === kind)
    return index === -1 ? undefined : this.#planned.splice(index, 1)[0]?.fate
  }
}

/** An error as it comes from the network or the server. */
export function failureOf(code: PgflowErrorCode, message: string): PgflowError {
  return new PgflowError(code, message)
}

function attempt<T>(work: () => T): Promise<T> {
  try {
    return Promise.resolve(work())
  } catch (error) {
    return Promise.reject(error instanceof Error ? error : toPgflowError(error))
  }
}

/**
 * The response, unless its caller aborts first. Leaves no listener at the signal, which may live
 * on.
 */
function orAborted<T>(answer: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(reasonOf(signal))
    signal.addEventListener('abort', giveUp)
    void answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', giveUp))
  })
}

function reasonOf({ reason }: AbortSignal): Error {
  if (reason instanceof PgflowError) return reason
  return new PgflowError('aborted', 'The call was aborted.', { cause: reason })
}
