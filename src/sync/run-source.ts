import { PgflowError, runNotFound } from '../errors.ts'
import { isTerminal, type RunSnapshot } from '../model/entities.ts'
import type { RunEvent } from '../model/wire.ts'
import type { Fetch, FetchReason } from './fetcher.ts'
import type { Merged, ResourceState, MergedSnapshot, Source } from './source.ts'
import { doubtMost, gatherJoins, gatherReads } from './timings.ts'
import type { RunContext } from './types.ts'

const gatherTimes: Record<FetchReason, number> = {
  start: 0,
  asked: 0,
  joined: gatherJoins,
  doubt: 0,
  poll: gatherReads,
}
const idle = { status: 'idle', error: null } as const
/** A seq this far ahead of the last one is not explained by lost broadcasts. */
const farAhead = 100

/** One run with its steps. */
export class RunSource implements Source<RunSnapshot | null, RunEvent> {
  readonly key: string
  // A probe compares only the seq. Only a snapshot shows whether the contents were forged.
  readonly readInterval = 200_000
  readonly doubtInterval = doubtMost
  readonly isShort = false
  readonly #context: RunContext
  /** What was received may be incomplete or forged: changes are emitted only after a snapshot. */
  #awaitsSnapshot = false
  /** The end that is held was confirmed by a snapshot, or cannot be forged. */
  #isConfirmed: boolean
  /** The highest seq of the snapshots that were dropped. No older one is accepted later. */
  #dropped = 0
  /** The highest seq of an event that shows the run running, by its status or by that of a step. */
  #runningSeq = 0
  /** The seq of the last snapshot that was accepted. */
  #confirmed: number | null = null
  /** The seq that was held when the request under way was sent. */
  #seqAtRequest: number | null = null
  #starts = 0
  #starting: Promise<void> | null = null

  constructor(runId: string, context: RunContext) {
    this.key = runId
    this.#context = context
    const { status, error } = context.state.connection(runId) ?? {}
    this.#isConfirmed = status === 'closed' && error === null
  }

  get isShown(): boolean {
    return (this.#run?.status ?? 'pending') !== 'pending'
  }

  get isNothing(): boolean {
    return !this.isShown
  }

  get isFinal(): boolean {
    return this.#hasEnded && this.#isConfirmed
  }

  get isUnconfirmed(): boolean {
    return this.#hasEnded && !this.#isConfirmed
  }

  get starting(): Promise<void> | null {
    return this.#starting
  }

  /** A start begins; the returned function ends it. */
  beginStart(): () => void {
    let end = () => {}
    const answered = new Promise<void>((resolve) => (end = resolve))
    this.#starts += 1
    this.#starting = Promise.all([this.#starting, answered]).then(() => undefined)
    return () => {
      this.#starts -= 1
      if (this.#starts === 0) this.#starting = null
      end()
    }
  }

  fetch(fetch: Fetch<RunEvent>, signal: AbortSignal, onSent: () => void) {
    const { batch } = this.#context
    fetch.sendNow = () => batch.sendNow()
    return batch.fetch(this.key, gatherTimes[fetch.reason], signal, onSent)
  }

  onSent(): void {
    this.#seqAtRequest = this.#seq
  }

  receive(event: RunEvent): Merged | null {
    if (this.#showsRunning(event)) this.#runningSeq = Math.max(this.#runningSeq, event.seq ?? 0)
    // Before the first snapshot every event is stale. The resource keeps it for the snapshot.
    const outcome = this.#context.state.applyEvent(event)
    if (outcome.kind === 'stale') return null
    // On a public channel anybody who has the id can forge the end, and without a seq earlier
    // broadcasts may be lost unnoticed: a snapshot has to confirm the end.
    this.#isConfirmed = !this.#isPublic || !outcome.hasEnded
    const needsSnapshot = outcome.needsSnapshot || event.needsSnapshot || !this.#isConfirmed
    this.#awaitsSnapshot ||= needsSnapshot
    if (!this.#awaitsSnapshot) this.#context.state.emitChanges(this.key)
    return { needsSnapshot, isGap: outcome.needsSnapshot, showsGaps: outcome.seq !== null }
  }

  merge(
    snapshot: RunSnapshot | null,
    { reason, updates, earlier }: Fetch<RunEvent>,
    trustsDatabase: boolean,
  ): MergedSnapshot | null {
    if (!snapshot) {
      // The request was too early: the run is being started here, or an event of it came meanwhile.
      const isExpected = !this.isShown && updates.length > 0 && !trustsDatabase
      if (this.#starts > 0 || isExpected) return null
      throw runNotFound(this.key)
    }
    if (snapshot.run.run_id !== this.key) {
      throw new PgflowError('malformed_reply', `Another run came: ${snapshot.run.run_id}`)
    }
    // The primary responds to a start. Without a seq it is unknown which events that includes.
    const isStart = reason === 'start' && snapshot.seq !== null
    const isCurrent = trustsDatabase || isStart
    // An end is final: on a public channel, events with a higher seq than that of the end are forged.
    const isEnd = isTerminal(snapshot.run.status) && (snapshot.seq ?? 0) > this.#runningSeq
    const isPublicEnd = this.#isPublic && isEnd
    // Of a snapshot that is not outdated, the events from before the request are part.
    const lately = isCurrent ? updates.filter((event) => !earlier.has(event)) : updates
    const since = isPublicEnd ? [] : trustsDatabase ? following(snapshot, lately) : lately
    const oldest = isStart ? null : this.#oldestAccepted(isPublicEnd, trustsDatabase)
    const seqBefore = this.#seq ?? 0
    const outcome = this.#context.state.applySnapshot(snapshot, since, oldest)
    if (outcome.kind === 'stale') {
      this.#dropped = Math.max(this.#dropped, snapshot.seq ?? 0)
      return null
    }
    this.#dropped = 0
    this.#confirmed = snapshot.seq
    if (trustsDatabase) this.#runningSeq = 0
    const known = snapshot.seq ?? 0
    const isIncomplete = since.some(
      (event) => event.needsSnapshot && (event.seq ?? Infinity) > known,
    )
    // An event may have ended it again after a repair.
    const isEndOfSnapshot = isTerminal(snapshot.run.status) && (this.#seq ?? 0) <= known
    this.#isConfirmed = !this.#isPublic || !this.#hasEnded || isEndOfSnapshot
    this.#awaitsSnapshot = outcome.needsSnapshot || isIncomplete || this.isUnconfirmed
    if (!this.#awaitsSnapshot) this.#context.state.emitChanges(this.key)
    return {
      isNews: outcome.hasChanged,
      // A counter that was lost starts again far above, without a broadcast.
      isMissed: outcome.hasChanged && (snapshot.seq ?? 0) > seqBefore,
      isOutdated: false,
      isGap: outcome.needsSnapshot,
      needsSnapshot: this.#awaitsSnapshot,
    }
  }

  probedIds(): readonly string[] {
    return this.#isSequenced ? [this.key] : []
  }

  isBehind(seqs: ReadonlyMap<string, number | null>): boolean {
    return (seqs.get(this.key) ?? Infinity) > (this.#seq ?? 0)
  }

  explain(error: PgflowError): PgflowError {
    return error.about(this.key)
  }

  onRefused(): void {
    if (this.isNothing) this.forget()
  }

  show({ status, error, isStalled }: ResourceState): void {
    const { state } = this.#context
    const isClosed = state.connection(this.key)?.status === 'closed'
    // A run that has ended stays closed. A run that was never shown has no connection.
    if (status === 'idle' && (isClosed || !this.#run)) return
    state.setConnection(this.key, { status, stalled: isStalled, error: error?.toJSON() ?? null })
  }

  readUnfollowed(): void {
    const { state } = this.#context
    const { status, error } = state.connection(this.key) ?? {}
    if (status !== 'closed' && status !== 'idle') return
    if (error || !this.#hasEnded) state.setConnection(this.key, idle)
  }

  drop(): void {
    if (!this.isShown) this.forget()
  }

  forget(): void {
    this.#context.state.forget(this.key)
  }

  /** Whether an event shows the run running. One far ahead of what is held is likely to be forged. */
  #showsRunning({ run, step, seq }: RunEvent): boolean {
    if (step) return (seq ?? 0) - (this.#seq ?? 0) < farAhead
    return run.status !== undefined && !isTerminal(run.status)
  }

  /** The lowest seq that a snapshot may have; null accepts any. */
  #oldestAccepted(isPublicEnd: boolean, trustsDatabase: boolean): number | null {
    // On a public channel the seq of an event may be forged, that of a snapshot cannot.
    const certain = this.#isPublic ? (this.#confirmed ?? this.#seqAtRequest) : this.#seqAtRequest
    // After a confirmed end, nothing older is accepted.
    if (this.isFinal && this.#isSequenced) return certain
    if (trustsDatabase) return this.#dropped || null
    return isPublicEnd ? certain : this.#seqAtRequest
  }

  /** Whether anybody who has the run's id may send on its channel. */
  get #isPublic(): boolean {
    return this.#context.transport.joinsBeforeStart
  }

  get #seq(): number | null {
    return this.#context.state.seq(this.key)
  }

  get #run() {
    return this.#context.state.run(this.key)
  }

  /** Whether events of the run have a seq; with plain pgflow they have none. */
  get #isSequenced(): boolean {
    return (this.#seq ?? 0) > 0
  }

  get #hasEnded(): boolean {
    return isTerminal(this.#run?.status ?? '')
  }
}

/** The events that can follow a snapshot without a gap: n of them reach at most its seq + n. */
function following({ seq }: RunSnapshot, updates: readonly RunEvent[]): RunEvent[] {
  const last = (seq ?? 0) + updates.length
  return updates.filter((event) => event.seq !== null && event.seq <= last)
}
