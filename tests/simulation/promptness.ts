import { isTerminal } from '../../src/model/entities.ts'
import * as bounds from './bounds.ts'
import type { Conditions } from './conditions.ts'
import { runOfId } from './flows.ts'
import type { Received } from './received.ts'
import type { Mode } from './plan.ts'
import { difference, textOf } from './projection.ts'
import { claimsTruth } from './run-witness.ts'
import type { Shown } from './shown.ts'
import type { RunTruth, Truth } from './truth.ts'
import type { Violate } from './violation.ts'

/** What promptness is judged by. */
export interface PromptnessContext {
  shown: Shown
  truth: Truth
  received: Received
  conditions: Conditions
  mode: Mode
  now: () => number
  user: () => string | null
  /** Whether the run has a channel that is joined, and not silent. */
  isReceiving: (runId: string) => boolean
  violate: Violate
}

/**
 * Until when something may be wrong because of what went wrong before: Infinity while a fault lasts
 * that keeps the truth away. A clock that is set is no excuse.
 * @param isAwaited - a caller waits for it: then it is requested even on a hidden page.
 */
export function excusedUntil(conditions: Conditions, isAwaited = false): number {
  const after = (fault: Parameters<Conditions['lastOf']>[0], ms: number) =>
    conditions.lastOf(fault) + ms
  const refusal = conditions.hasRefused ? bounds.afterRefusal : 0
  return Math.max(
    after('requests', Math.max(bounds.afterOutage, refusal)),
    after('replica', bounds.afterReplicaLag),
    after('no-network', bounds.afterOutage),
    after('asleep', bounds.afterOutage),
    after('throttled', bounds.throttledTimers + bounds.polledRun),
    isAwaited ? -Infinity : after('hidden', bounds.afterWake),
    after('offline-hint', bounds.afterWake),
  )
}

/** Whether what is observed shows the truth soon enough. */
export class Promptness {
  readonly #context: PromptnessContext
  /** Runs that are not shown as they are, and since when. */
  readonly #wrong = new Map<string, { since: number; text: string; isTainted: boolean }>()

  constructor(context: PromptnessContext) {
    this.#context = context
  }

  /** Whether all of these are shown as they are, or with an error. */
  get isCalm(): boolean {
    return this.#wrong.size === 0
  }

  /** Looks at what is shown of these. */
  look(observed: ReadonlySet<string>): void {
    const { now, truth, received } = this.#context
    for (const runId of this.#wrong.keys()) if (!observed.has(runId)) this.#wrong.delete(runId)
    for (const runId of observed) {
      const ofRun = truth.runs.get(runId)
      const text = ofRun ? this.#wrongIn(runId, ofRun) : null
      if (text === null) this.#wrong.delete(runId)
      else {
        const before = this.#wrong.get(runId)
        const isTainted = received.taintOf(runId) !== undefined
        // What was forged is undone. What is wrong now is so for another reason.
        const isOther = before === undefined || (before.isTainted && !isTainted)
        this.#wrong.set(runId, { since: isOther ? now() : before.since, text, isTainted })
      }
    }
  }

  /** What has been wrong for too long. */
  check(): void {
    const { now, truth, violate } = this.#context
    for (const [runId, { since, text }] of this.#wrong) {
      const ofRun = truth.runs.get(runId)
      if (!ofRun) continue
      if (now() <= this.#dueOf(runId, ofRun, since)) continue
      const late = (now() - since).toFixed(0)
      violate('late', `run ${runOfId(runId)} is wrong for ${late} ms: ${text}`)
    }
  }

  /** What should be right by now and is not; null if all is, or the store has the reason. */
  #wrongIn(runId: string, ofRun: RunTruth): string | null {
    const { shown, user, mode, received } = this.#context
    if (mode === 'private' && ofRun.owner !== user()) return null
    const state = shown.state(runId)
    const connection = shown.connection(runId)
    if (!connection) return 'it has no connection'
    const { status, error } = connection
    const isShown = state !== undefined && state.run.status !== 'pending'
    if (status === 'closed' && (error === null || !isShown)) return null
    if (ofRun.isDeleted) {
      return status === 'closed' || isTerminal(String(state?.run.status))
        ? null
        : 'it was deleted, and is followed'
    }
    if (!state) return 'it is not shown'
    const isPlain = mode === 'plain' || mode === 'plain-old'
    const wrong = difference(state, ofRun.last.state, { hasOutputs: mode !== 'plain-old' })
    // Plain pgflow does not broadcast how far tasks and runs are.
    if (wrong !== null && !(isPlain && wrong.includes('remaining_'))) return wrong
    if (status === 'closed') return `it is closed with ${error?.code ?? 'no error'}`
    // A forged change that a snapshot has undone looks like a broadcast that was missed.
    const wasForged = received.wasForged(runId)
    if (status === 'polling' && !wasForged && this.#hasReceived(runId))
      return 'it is polled, and its channel delivers'
    return status === 'live' || status === 'polling' ? null : `it is ${status}`
  }

  /**
   * Whether nothing was lost on the run's channel since the last broadcast: no request is needed.
   */
  #hasReceived(runId: string): boolean {
    const { conditions, received, isReceiving } = this.#context
    if (!isReceiving(runId)) return false
    const { lastMissed } = conditions
    return lastMissed === -Infinity || received.lastAt(runId) > lastMissed
  }

  /** Until when what is wrong may be so. */
  #dueOf(runId: string, ofRun: RunTruth, since: number): number {
    const { shown, conditions, received, mode } = this.#context
    // Broadcasts postpone the next probe.
    const from = Math.max(since, received.lastAt(runId))
    let ms = this.#baseOf(runId, since)
    if (ofRun.isDeleted) ms = Math.max(ms, bounds.deletedRun)
    if (mode === 'plain' || mode === 'plain-old') ms = Math.max(ms, bounds.plainRun)
    const isUnconfirmed = isTerminal(textOf(shown.run(runId)?.status))
    const excused = excusedUntil(conditions, isUnconfirmed)
    const taint = received.taintOf(runId)
    const afterTaint = taint ? taint.until + bounds.doubtSpacing : -Infinity
    // A deleted run may stay shown for as long after an outage as without one.
    const afterAll = excused + (ofRun.isDeleted ? bounds.deletedRun : 0)
    return Math.max(from + ms, afterAll, afterTaint)
  }

  /** How long it may take while requests succeed. */
  #baseOf(runId: string, since: number): number {
    const { shown, conditions, isReceiving, received } = this.#context
    if (!isReceiving(runId)) return Math.max(bounds.polledRun, bounds.silentIdleRun)
    const connection = shown.connection(runId)
    if (!connection || !claimsTruth(connection)) return bounds.polledRun + bounds.doubtSpacing
    if (since > conditions.lastLoss + 60_000) return bounds.liveRun
    const isActive = since - received.lastAt(runId) < bounds.activeWithin
    return isActive ? bounds.silentActiveRun : bounds.silentIdleRun
  }
}
