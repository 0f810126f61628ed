import type { PgflowError } from '../errors.ts'
import type { Scheduler } from '../model/scheduler.ts'
import type { FetchReason } from './fetcher.ts'
import type { Health } from './health.ts'
import type { PollTimer } from './poll-timer.ts'
import type { ProbeTarget, SeqProbe } from './seq-probe.ts'
import { deliveryTime } from './timings.ts'

/** What the watch needs from its resource. */
export interface SilenceWatchContext {
  probe: SeqProbe
  health: Health
  poll: PollTimer
  /** Whether the resource has no request under way. */
  isWaiting: () => boolean
  /** Whether its channel is joined and not silent. */
  isReceiving: () => boolean
  /** The runs that a probe has to check; empty where only a snapshot helps. */
  probedIds: () => readonly string[]
  /** Whether the database is ahead of what is held. */
  isBehind: (seqs: ReadonlyMap<string, number | null>) => boolean
  /** The longest time between two snapshots, in ms. */
  readInterval: number
  scheduler: Scheduler
  read: (reason: FetchReason) => void
  report: (error: PgflowError) => void
  show: () => void
}

/**
 * Finds lost broadcasts: a joined channel may lose them without an error. A probe compares the seq
 * with the database, which is cheap. A snapshot is requested only where something was missed.
 */
export class SilenceWatch {
  readonly #context: SilenceWatchContext
  readonly #target: ProbeTarget
  /** A probe was refused: only snapshots are possible. */
  #isRefused = false
  /** A whole snapshot is due. */
  #isReadDue = false
  #cancelRead = () => {}

  constructor(context: SilenceWatchContext) {
    this.#context = context
    this.#target = {
      runIds: () => (context.isWaiting() && this.#isPossible ? context.probedIds() : []),
      onSeqs: (seqs) => this.#compare(seqs),
      onFailed: (error) => this.#fail(error),
    }
  }

  /** Whether a probe can find out if anything was missed. */
  get canProbe(): boolean {
    return this.#isPossible && this.#context.probedIds().length > 0
  }

  start(): void {
    this.#context.probe.add(this.#target)
  }

  stop(): void {
    this.#context.probe.remove(this.#target)
    this.#cancelRead()
  }

  /** Checks whether anything was missed, by a probe or a snapshot; true if by a probe. */
  ask(): boolean {
    const { health, probe, read } = this.#context
    const isProbe = !health.isSuspected && !this.#isReadDue && this.canProbe
    if (isProbe) void probe.request(this.#target)
    else read(health.isSuspected ? 'doubt' : 'poll')
    return isProbe
  }

  /**
   * Whether a snapshot shows that the channel is silent: a probe found the database ahead, nothing
   * was received since, and the snapshot contains a change that should have been broadcast.
   * @param isMissed - whether the snapshot contains such a change.
   */
  showsSilence(isMissed: boolean): boolean {
    const { health, isReceiving } = this.#context
    const { isSuspected, isUnreceived, needsSnapshot } = health
    health.isSuspected = false
    // While the first snapshot after a join is missing, changes from before the join do not count.
    return isSuspected && isUnreceived && isMissed && !needsSnapshot && isReceiving()
  }

  /** A whole snapshot was merged: schedules the next one. */
  scheduleRead(): void {
    const { scheduler, readInterval, poll, health } = this.#context
    this.#isReadDue = false
    this.#cancelRead()
    const wait = readInterval * (0.75 + scheduler.random() / 4)
    this.#cancelRead = scheduler.after(wait, () => {
      this.#isReadDue = true
      // After a failure, the back-off decides.
      if (!health.error) poll.schedule(0)
    })
  }

  get #isPossible(): boolean {
    const { health, probe } = this.#context
    return probe.isPossible && !this.#isRefused && !health.needsSnapshot && !health.error
  }

  #compare(seqs: ReadonlyMap<string, number | null>): void {
    const { health, poll, isWaiting, isBehind, show } = this.#context
    if (!isWaiting()) return
    health.isOverruled = true
    // The broadcast may still be on its way. If it arrives in time, no request is needed.
    health.isSuspected = isBehind(seqs)
    health.isUnreceived = true
    if (health.isSuspected) return poll.schedule(deliveryTime)
    poll.succeeded(false, true)
    show()
    poll.schedule()
  }

  #fail(error: PgflowError): void {
    const { health, poll, isWaiting, report, show } = this.#context
    if (!isWaiting()) return
    report(error)
    // An older migration has no such function. Other failures are retried as a whole snapshot.
    if (error.code === 'not_migrated' || error.code === 'not_granted') this.#isRefused = true
    else {
      health.error = error
      poll.failed()
    }
    show()
    poll.schedule()
  }
}
