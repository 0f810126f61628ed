import { PgflowError, runNotFound } from '../errors.ts'
import { isTerminal, type RunSnapshot } from '../model/entities.ts'
import type { RunEvent } from '../model/wire.ts'
import type { Fetch, FetchReason } from './fetcher.ts'
import type { Merged, ResourceState, Settled, Source } from './source.ts'
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
/** More broadcasts than are lost together while a run goes on. */
const farAhead = 100

/** One run with its steps. */
export class RunSource implements Source<RunSnapshot | null, RunEvent> {
  readonly key: string
  // The seq of a probe says nothing of contents, which may be forged.
  readonly readInterval = 200_000
  readonly doubtInterval = doubtMost
  readonly #context: RunContext
  /** What broadcasts say may be incomplete or forged: changes are emitted only after a snapshot. */
  #isInDoubt = false
  /** An end that is held was confirmed by a snapshot, or cannot be forged. */
  #isConfirmed: boolean
  /** The highest seq of the answers that were dropped: nothing older is taken after them. */
  #dropped = 0
  /** The highest seq of a broadcast that said that the run goes on, as a step of it does. */
  #wentOn = 0
  /** The seq of the last answer that was taken. */
  #confirmed: number | null = null
  /** The seq that was held when the read under way was sent. */
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

  get isSettled(): boolean {
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
    if (this.#saysThatItGoesOn(event)) this.#wentOn = Math.max(this.#wentOn, event.seq ?? 0)
    // Stale before the first snapshot: the resource has kept the event for its answer.
    const outcome = this.#context.state.applyEvent(event)
    if (outcome.kind === 'stale') return null
    // On a public channel anybody who knows the id can send that the run has ended, and without a
    // seq the broadcasts before it may be lost: a snapshot has to confirm it.
    this.#isConfirmed = !this.#isPublic || !outcome.hasEnded
    const needsSnapshot = outcome.needsSnapshot || event.needsSnapshot || !this.#isConfirmed
    this.#isInDoubt ||= needsSnapshot
    if (!this.#isInDoubt) this.#context.state.emitChanges(this.key)
    return { needsSnapshot, isGap: outcome.needsSnapshot, showsGaps: outcome.seq !== null }
  }

  settle(
    snapshot: RunSnapshot | null,
    { updates, earlier }: Fetch<RunEvent>,
    trustsDatabase: boolean,
  ): Settled | null {
    if (!snapshot) {
      // Too early: the run is being started here, or a broadcast of it came meanwhile.
      const isExpected = !this.isShown && updates.length > 0 && !trustsDatabase
      if (this.#starts > 0 || isExpected) return null
      throw runNotFound(this.key)
    }
    if (snapshot.run.run_id !== this.key) {
      throw new PgflowError('malformed_reply', `Another run came: ${snapshot.run.run_id}`)
    }
    // After an end there is nothing to wait for, and whatever claims to be later was forged: where it
    // can be, and where a seq tells what is later.
    const isEnd = isTerminal(snapshot.run.status) && (snapshot.seq ?? 0) > this.#wentOn
    const isFinal = this.#isPublic && isEnd
    // What was heard before the read was sent had its time to show in an answer.
    const lately = trustsDatabase ? updates.filter((event) => !earlier.has(event)) : updates
    const since = isFinal ? [] : trustsDatabase ? following(snapshot, lately) : lately
    const oldest = this.#oldestAccepted(isFinal, trustsDatabase)
    const seqBefore = this.#seq ?? 0
    const outcome = this.#context.state.applySnapshot(snapshot, since, oldest)
    if (outcome.kind === 'stale') {
      this.#dropped = Math.max(this.#dropped, snapshot.seq ?? 0)
      return null
    }
    this.#dropped = 0
    this.#confirmed = snapshot.seq
    if (trustsDatabase) this.#wentOn = 0
    const known = snapshot.seq ?? 0
    const isIncomplete = since.some(
      (event) => event.needsSnapshot && (event.seq ?? Infinity) > known,
    )
    const isEndedOnlyHere = this.#hasEnded && !isTerminal(snapshot.run.status)
    this.#isConfirmed = !isEndedOnlyHere || !this.#isPublic
    this.#isInDoubt = outcome.needsSnapshot || isIncomplete || this.isUnconfirmed
    if (!this.#isInDoubt) this.#context.state.emitChanges(this.key)
    return {
      isNews: outcome.hasChanged,
      // A counter that was lost starts anew far above, and nothing was sent.
      isMissed: outcome.hasChanged && (snapshot.seq ?? 0) > seqBefore,
      isOutdated: false,
      isGap: outcome.needsSnapshot,
      needsSnapshot: this.#isInDoubt,
    }
  }

  probedIds(): readonly string[] {
    return this.#isSequenced ? [this.key] : []
  }

  isBehind(seqs: ReadonlyMap<string, number>): boolean {
    const seq = seqs.get(this.key)
    return seq === undefined || seq > (this.#seq ?? 0)
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
    // What has ended stays closed, and of a run that was never shown nothing is left.
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

  /** A step that goes on says so too; but one far ahead of what is held is likely to be forged. */
  #saysThatItGoesOn({ run, step, seq }: RunEvent): boolean {
    if (step) return (seq ?? 0) - (this.#seq ?? 0) < farAhead
    return run.status !== undefined && !isTerminal(run.status)
  }

  /** The lowest seq that an answer may have; null takes any. */
  #oldestAccepted(isFinal: boolean, trustsDatabase: boolean): number | null {
    // On a public channel a seq that was heard may be forged, that of an answer cannot.
    const certain = this.#isPublic ? (this.#confirmed ?? this.#seqAtRequest) : this.#seqAtRequest
    // A confirmed end is final, and after what was dropped nothing older is taken.
    if (this.isSettled && this.#isSequenced) return certain
    if (trustsDatabase) return this.#dropped || null
    return isFinal ? certain : this.#seqAtRequest
  }

  /** Whether anybody who knows the run's id may send on its channel. */
  get #isPublic(): boolean {
    return this.#context.transport.joinsBeforeStart
  }

  get #seq(): number | null {
    return this.#context.state.seq(this.key)
  }

  get #run() {
    return this.#context.state.run(this.key)
  }

  /** With 0 the events of the run have no numbers, as with plain pgflow. */
  get #isSequenced(): boolean {
    return (this.#seq ?? 0) > 0
  }

  get #hasEnded(): boolean {
    return isTerminal(this.#run?.status ?? '')
  }
}

/** The updates that can follow a snapshot without a gap: of n of them, none is beyond seq + n. */
function following({ seq }: RunSnapshot, updates: readonly RunEvent[]): RunEvent[] {
  const last = (seq ?? 0) + updates.length
  return updates.filter((event) => event.seq !== null && event.seq <= last)
}
