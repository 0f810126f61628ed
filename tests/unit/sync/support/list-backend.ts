import { PgflowError } from '../../../../src/errors.ts'
import type { ListFilter, RunPage, RunSummary } from '../../../../src/model/entities.ts'
import { compareRuns, isOfQuery } from '../../../../src/model/run-list.ts'
import { asEvent } from '../../../support/as-event.ts'
import type {
  ListTransport,
  RunChannelHandlers,
  RunTransport,
  SessionChange,
} from '../../../../src/transport/types.ts'
import type { VirtualClock } from '../../../support/virtual-clock.ts'

/** How likely each fault is, from 0 to 1. */
export interface ListFaults {
  lose: number
  duplicate: number
  reorder: number
  fail: number
  hang: number
}

export const noListFaults: ListFaults = { lose: 0, duplicate: 0, reorder: 0, fail: 0, hang: 0 }

/** A request as it was made. */
export interface ListRequest extends ListFilter {
  before: string | null
  limit: number
}

interface Feed {
  handlers: RunChannelHandlers
  isJoined: boolean
  /** How many times it was joined and lost again. */
  joins: number
  /** When the last message arrives that keeps its place. */
  last: number
}

/** The runs of one user, the RPC that lists them and the feed that tells of them. */
export class ListBackend implements ListTransport, Pick<RunTransport, 'watchSession'> {
  readonly requests: ListRequest[] = []
  /** The signals of all requests. */
  readonly signals: AbortSignal[] = []
  /** The runs whose seq was asked for, by request. */
  readonly probes: (readonly string[])[] = []
  faults = noListFaults
  /** What every read fails with, if anything. */
  refusal: PgflowError | null = null
  /** How long each answer is on its way, in ms, if not as long as chance will have it. */
  answerTime: number | null = null
  /** How many times the feed was opened. */
  feeds = 0
  readonly openFeed: ListTransport['openFeed']
  /** There unless the runs are not counted. */
  readonly fetchSeqs: RunTransport['fetchSeqs']
  readonly #clock: VirtualClock
  readonly #isCounted: boolean
  readonly #rows = new Map<string, RunSummary>()
  readonly #watchers = new Set<(change: SessionChange) => void>()
  #feed: Feed | null = null
  #count = 0

  constructor(clock: VirtualClock, hasFeed: boolean, isCounted: boolean) {
    this.#clock = clock
    this.#isCounted = isCounted
    this.fetchSeqs = isCounted ? (runIds, signal) => this.#seqs(runIds, signal) : null
    this.openFeed = hasFeed ? (handlers) => this.#open(handlers) : null
  }

  get hasOpenFeed(): boolean {
    return this.#feed !== null
  }

  /** The rows of a query, newest first. */
  rows(query: ListFilter): RunSummary[] {
    return [...this.#rows.values()].filter((row) => isOfQuery(query, row)).sort(compareRuns)
  }

  readonly row = (runId: string): RunSummary | undefined => this.#rows.get(runId)

  get runIds(): string[] {
    return [...this.#rows.keys()]
  }

  /** A run is started, maybe at the same time as the last. */
  start(flow: string, isAtOnce = false): string {
    if (!isAtOnce) this.#count += 1
    // Ids that say nothing about the order.
    const runId = `${(this.#rows.size * 7919) % 1000}-${this.#rows.size}`
    const started_at = `2026-01-01T00:00:${String(this.#count).padStart(4, '0')}+00:00`
    const row: RunSummary = {
      run_id: runId,
      flow_slug: flow,
      status: 'started',
      error_message: null,
      remaining_steps: 1,
      started_at,
      completed_at: null,
      failed_at: null,
      seq: 1,
      cursor: `${started_at} ${runId}`,
    }
    this.#rows.set(runId, row)
    const { run_id, flow_slug, status, remaining_steps } = row
    this.#tell('run:started', { run_id, seq: 1, flow_slug, status, started_at, remaining_steps })
    return runId
  }

  /** A step of a run has started: the feed does not tell of that. */
  progress(runId: string): void {
    const row = this.#rows.get(runId)
    if (row) this.#rows.set(runId, { ...row, seq: (row.seq ?? 0) + 1 })
  }

  /** A run ends; what its event tells is what the real one tells. */
  end(runId: string, status: 'completed' | 'failed'): void {
    const row = this.#rows.get(runId)
    if (row?.status !== 'started') return
    const seq = (row.seq ?? 0) + 2
    const times = { [`${status}_at`]: '2026-01-02T00:00:00+00:00' }
    const remaining_steps = status === 'completed' ? 0 : row.remaining_steps
    this.#rows.set(runId, { ...row, ...times, status, seq, remaining_steps })
    const { flow_slug, started_at } = row
    this.#tell(`run:${status}`, { run_id: runId, seq, flow_slug, status, started_at, ...times })
  }

  /** A run was started before the database counted. */
  uncount(runId: string): void {
    const row = this.#rows.get(runId)
    if (row) this.#rows.set(runId, { ...row, seq: null })
  }

  /** A run is deleted. */
  delete(runId: string): void {
    this.#rows.delete(runId)
  }

  /** All runs are deleted. */
  clear(): void {
    this.#rows.clear()
  }

  /** Somebody else is signed in, who has no runs. */
  changeUser(): void {
    this.clear()
    this.changeSession('user')
  }

  changeSession(change: SessionChange): void {
    for (const watcher of this.#watchers) watcher(change)
  }

  /** The feed is refused, and not joined again. */
  refuseFeed(error: PgflowError): void {
    if (this.#feed) this.#feed.isJoined = false
    this.#feed?.handlers.onDown(error)
  }

  /** Something comes that cannot be understood. */
  garble(): void {
    this.#feed?.handlers.onMalformed(new PgflowError('malformed_message', 'No.'))
  }

  /** The connection is lost, and back after a while. */
  drop(): void {
    const feed = this.#feed
    if (!feed?.isJoined) return
    feed.isJoined = false
    feed.joins += 1
    feed.handlers.onDown(new PgflowError('channel_failed', 'The connection is lost.'))
    this.#join()
  }

  #seqs(runIds: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, number>> {
    this.probes.push(runIds)
    return this.#request(signal, () => {
      const rows = runIds.flatMap((runId) => this.#rows.get(runId) ?? [])
      return new Map(rows.flatMap(({ run_id, seq }) => (seq === null ? [] : [[run_id, seq]])))
    })
  }

  listRuns(query: ListFilter, before: string | null, limit: number, signal: AbortSignal) {
    this.requests.push({ ...query, before, limit })
    return this.#request(signal, (): RunPage => {
      const last = before === null ? undefined : this.#rows.get(before.split(' ')[1] ?? '')
      const rows = this.rows(query).filter((row) => !last || compareRuns(last, row) < 0)
      const runs = rows
        .slice(0, limit)
        .map((row) => ({ ...row, ...(this.#isCounted ? {} : { seq: null }) }))
      return { runs, cursor: runs.length < limit ? null : (runs.at(-1)?.cursor ?? null) }
    })
  }

  #request<T>(signal: AbortSignal, work: () => T): Promise<T> {
    this.signals.push(signal)
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => {
        reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
      })
      if (this.#happens('hang')) return
      this.#clock.after(this.#latency(), () => {
        if (this.#happens('fail')) return reject(new PgflowError('unreachable', 'No network.'))
        if (this.refusal) return reject(this.refusal)
        const answer = work()
        this.#clock.after(this.answerTime ?? this.#latency(), () => resolve(answer))
      })
    })
  }

  watchSession(onChange: (change: SessionChange) => void): () => void {
    this.#watchers.add(onChange)
    return () => this.#watchers.delete(onChange)
  }

  #open(handlers: RunChannelHandlers) {
    this.feeds += 1
    const feed = { handlers, isJoined: false, joins: 0, last: 0 }
    this.#feed = feed
    this.#join()
    return {
      close: () => {
        if (this.#feed === feed) this.#feed = null
      },
    }
  }

  #join(): void {
    const feed = this.#feed
    this.#clock.after(this.#latency() * 5, () => {
      if (!feed || this.#feed !== feed || feed.isJoined) return
      feed.isJoined = true
      feed.handlers.onJoined()
    })
  }

  #tell(name: string, payload: Record<string, unknown>): void {
    const feed = this.#feed
    if (!feed?.isJoined || this.#happens('lose')) return
    const { joins } = feed
    const times = this.#happens('duplicate') ? 2 : 1
    for (let time = 0; time < times; time += 1) {
      const own = this.#clock.time + this.#latency() * (this.#happens('reorder') ? 4 : 1)
      const at = this.#happens('reorder') ? own : Math.max(own, feed.last)
      feed.last = Math.max(feed.last, at)
      this.#clock.after(at - this.#clock.time, () => {
        // What was on its way is lost with the connection.
        if (this.#feed !== feed || feed.joins !== joins) return
        const event = asEvent(name, payload)
        if (event.ok) feed.handlers.onEvent(event.value)
      })
    }
  }

  #latency(): number {
    return 1 + this.#clock.random() ** 3 * 200
  }

  #happens(fault: keyof ListFaults): boolean {
    return this.#clock.random() < this.faults[fault]
  }
}
