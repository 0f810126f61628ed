import type { PgflowError } from '../errors.ts'
import type { Scheduler } from '../model/scheduler.ts'
import type { FetchReason } from './fetcher.ts'
import type { Health } from './health.ts'
import type { PollTimer } from './poll-timer.ts'
import type { ProbeTarget, SeqProbe } from './seq-probe.ts'
import { deliveryTime } from './timings.ts'

/** What the watch needs of its resource. */
export interface SilenceWatchContext {
  probe: SeqProbe
  health: Health
  poll: PollTimer
  /** Whether no request of it is under way. */
  isWaiting: () => boolean
  /** Whether its channel is joined, and not known to be silent. */
  isHearing: () => boolean
  /** The runs that a probe has to ask for; none where only a read helps. */
  probedIds: () => readonly string[]
  /** Whether the database is ahead of what is held. */
  isBehind: (seqs: ReadonlyMap<string, number>) => boolean
  /** The longest time between two whole reads, in ms. */
  readInterval: number
  scheduler: Scheduler
  read: (reason: FetchReason) => void
  report: (error: PgflowError) => void
  show: () => void
}

/**
 * Does not trust silence: a joined channel may have lost broadcasts without a word. Asks the
 * database for the seq, which is cheap, and for a snapshot only where something was missed.
 */
export class SilenceWatch {
  readonly #context: SilenceWatchContext
  readonly #target: ProbeTarget
  /** A probe was refused: only whole reads are possible. */
  #isRefused = false
  /** It is time for a whole read. */
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

  /** Whether a probe can tell if anything was missed. */
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

  /** Asks whether anything was missed; true if that is a probe. */
  ask(): boolean {
    const { health, probe, read } = this.#context
    const isProbe = !health.isSuspected && !this.#isReadDue && this.canProbe
    if (isProbe) void probe.request(this.#target)
    else read(health.isSuspected ? 'doubt' : 'poll')
    return isProbe
  }

  /**
   * Whether an answer shows that the channel is silent: a probe found the database ahead, nothing
   * was heard since, and the answer holds something that should have been.
   * @param isMissed - whether it holds that.
   */
  showsSilence(isMissed: boolean): boolean {
    const { health, isHearing } = this.#context
    const { isSuspected, isUnheard, needsSnapshot } = health
    health.isSuspected = false
    // What was lost before the join, whose snapshot is still missing, is not the channel's fault.
    return isSuspected && isUnheard && isMissed && !needsSnapshot && isHearing()
  }

  /** A whole read was answered: the next one has time. */
  answered(): void {
    const { scheduler, readInterval, poll, health } = this.#context
    this.#isReadDue = false
    this.#cancelRead()
    const wait = readInterval * (0.75 + scheduler.random() / 4)
    this.#cancelRead = scheduler.after(wait, () => {
      this.#isReadDue = true
      // What has failed waits for its back-off.
      if (!health.error) poll.schedule(0)
    })
  }

  get #isPossible(): boolean {
    const { health, probe } = this.#context
    return probe.isPossible && !this.#isRefused && !health.needsSnapshot && !health.error
  }

  #compare(seqs: ReadonlyMap<string, number>): void {
    const { health, poll, isWaiting, isBehind, show } = this.#context
    if (!isWaiting()) return
    health.isOverruled = true
    // A broadcast may be on its way: what comes in time needs no read.
    health.isSuspected = isBehind(seqs)
    health.isUnheard = true
    if (health.isSuspected) return poll.schedule(deliveryTime)
    poll.succeeded(false, true)
    show()
    poll.schedule()
  }

  #fail(error: PgflowError): void {
    const { health, poll, isWaiting, report, show } = this.#context
    if (!isWaiting()) return
    report(error)
    // An older migration has no such function; anything else, a read looks at.
    if (error.code === 'not_migrated' || error.code === 'not_granted') this.#isRefused = true
    else {
      health.error = error
      poll.failed()
    }
    show()
    poll.schedule()
  }
}
