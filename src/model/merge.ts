import {
  compareSteps,
  createdStep,
  isTerminal,
  type PgflowRun,
  type PgflowStep,
  type RunSnapshot,
  type RunWithSteps,
  type StepRetry,
  type StepSnapshot,
} from './entities.ts'
import { isOutdated, mergeUnsequenced } from './merge-unsequenced.ts'
import { changesOf, type RunEvent, type RunPatch, type StepPatch } from './wire.ts'

/** The state that is merged into. */
export interface HeldRun {
  run: PgflowRun
  step(slug: string): PgflowStep | undefined
  /**
   * The seq of the last event that is part of the state; null before anything was read of the run,
   * and 0 where events have no seq.
   */
  seq: number | null
}

/** What an event changes. */
export type EventOutcome =
  | { kind: 'stale' }
  | {
      kind: 'apply'
      run: RunPatch
      step: { slug: string; patch: StepPatch } | null
      retry: StepRetry | null
      /** Null when it has none. */
      seq: number | null
      /** Events before this one are missing, or it undoes an end: only a snapshot has the rest. */
      needsSnapshot: boolean
      /** Whether the run has ended after the event. */
      hasEnded: boolean
    }

/**
 * Decides what an event changes. With a seq the order is known: one that is not newer is stale, the
 * next one applies, a later one applies and shows a gap. Without a seq a status only moves forward.
 */
export function mergeEvent(view: HeldRun, event: RunEvent): EventOutcome {
  if (event.seq === null) return mergeUnsequenced(view, event)
  const last = view.seq ?? 0
  if (event.seq <= last) return { kind: 'stale' }
  const { step, retry, seq } = event
  const needsSnapshot = seq > last + 1 || undoesEnd(view, event)
  const run = changesOf(event)
  return {
    kind: 'apply',
    run,
    step,
    retry,
    seq,
    needsSnapshot,
    hasEnded: isTerminal(run.status ?? view.run.status),
  }
}

/** Whether an event continues a run or step that had ended, as after a repair by hand. */
function undoesEnd(view: HeldRun, { run, step }: RunEvent): boolean {
  const { status } = step ? step.patch : run
  // The cheap check first: most events are of an end.
  if (status === undefined || isTerminal(status)) return false
  const held = step ? view.step(step.slug) : view.run
  return held !== undefined && isTerminal(held.status)
}

/** What a snapshot changes. */
export type SnapshotOutcome =
  { kind: 'stale' } | ({ kind: 'replace'; needsSnapshot: boolean } & RunWithSteps)

/**
 * Decides what a snapshot changes. It replaces the state. Events received since it was requested
 * (`since`) are applied to it again where they are newer, so that a busy run loses nothing. A
 * snapshot with a seq below `oldestAccepted` is stale (it may come from a lagging replica or a
 * cache); with null none is. What the snapshot lacks is taken from `held`.
 */
export function mergeSnapshot(
  snapshot: RunSnapshot,
  since: readonly RunEvent[],
  oldestAccepted: number | null,
  held?: HeldRun,
): SnapshotOutcome {
  if (snapshot.seq !== null && snapshot.seq < (oldestAccepted ?? 0)) return { kind: 'stale' }
  const run = { ...snapshot.run }
  const steps = new Map(snapshot.steps.map((step) => [step.step_slug, completeStep(step, held)]))
  const view: HeldRun = { run, step: (slug) => steps.get(slug), seq: snapshot.seq }
  const isUnsequenced = snapshot.seq === null
  const hasEnded = isUnsequenced && isTerminal(run.status)
  let needsSnapshot = false
  for (const event of inOrder(since)) {
    const outcome = mergeEvent(view, event)
    // Without a seq it is open which is newer, the end or the event that continues the run.
    needsSnapshot ||= hasEnded && (outcome.kind === 'apply' || goesOn(event))
    if (outcome.kind === 'stale') continue
    needsSnapshot ||= outcome.needsSnapshot
    view.seq = outcome.seq ?? view.seq
    Object.assign(run, outcome.run)
    if (outcome.step) {
      const { slug, patch } = outcome.step
      steps.set(slug, Object.assign(steps.get(slug) ?? createdStep(run.run_id, slug), patch))
    }
  }
  // Without a seq only the statuses show which is older.
  const isComparable = isUnsequenced && oldestAccepted !== null
  if (isComparable && held && isOutdated(held, run, steps.values())) return { kind: 'stale' }
  const ordered = [...steps.values()].sort(compareSteps)
  return { kind: 'replace', run, steps: ordered, seq: view.seq, needsSnapshot }
}

/** Whether an event shows that the run has not ended. */
function goesOn({ run }: RunEvent): boolean {
  return run.status !== undefined && !isTerminal(run.status)
}

/** Adds the output that the snapshot lacks, if it is held. */
function completeStep(
  { retry: _retry, ...step }: StepSnapshot,
  held: HeldRun | undefined,
): PgflowStep {
  if (step.output !== undefined) return { ...step, output: step.output }
  const known = held?.step(step.step_slug)
  return { ...step, output: known?.status === step.status ? known.output : null }
}

function inOrder(events: readonly RunEvent[]): RunEvent[] {
  return [...events].sort((a, b) => (a.seq ?? 0) - (b.seq ?? 0))
}
