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

/** What merging needs to know of the state it merges into. */
export interface HeldRun {
  run: PgflowRun
  step(slug: string): PgflowStep | undefined
  /**
   * The last broadcast that is part of the state; null before the database has told of the run, and
   * 0 where nothing has a seq.
   */
  seq: number | null
}

/** What a broadcast does to a state. */
export type EventOutcome =
  | { kind: 'stale' }
  | {
      kind: 'apply'
      run: RunPatch
      step: { slug: string; patch: StepPatch } | null
      retry: StepRetry | null
      /** Null when it has none. */
      seq: number | null
      /** Broadcasts before this one are missing, or it undoes an end: only a snapshot can tell the rest. */
      needsSnapshot: boolean
      /** Whether the run has ended after it. */
      hasEnded: boolean
    }

/**
 * Decides what a broadcast does. With a seq the order is known: what is not newer is stale, the
 * next one applies, a later one applies and shows a gap. Without a seq a status may only move up.
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

/** Whether a run or step that had ended goes on, as after a repair by hand. */
function undoesEnd(view: HeldRun, { run, step }: RunEvent): boolean {
  const { status } = step ? step.patch : run
  // First what costs nothing: most events tell of an end.
  if (status === undefined || isTerminal(status)) return false
  const held = step ? view.step(step.slug) : view.run
  return held !== undefined && isTerminal(held.status)
}

/** What a snapshot makes of a state. */
export type SnapshotOutcome =
  { kind: 'stale' } | ({ kind: 'replace'; needsSnapshot: boolean } & RunWithSteps)

/**
 * Decides what a snapshot does. It replaces the state, and the broadcasts that arrived since it was
 * asked for (`since`) are applied to it again where they are newer, so that a busy run loses
 * nothing and never has to wait for a quiet moment. A snapshot that is older than what was known
 * when it was sent (`seqAtRequest`; from an outdated replica or cache) is stale; with null none is.
 * What the snapshot does not tell stays as it is `held`.
 */
export function mergeSnapshot(
  snapshot: RunSnapshot,
  since: readonly RunEvent[],
  seqAtRequest: number | null,
  held?: HeldRun,
): SnapshotOutcome {
  if (snapshot.seq !== null && snapshot.seq < (seqAtRequest ?? 0)) return { kind: 'stale' }
  const run = { ...snapshot.run }
  const steps = new Map(snapshot.steps.map((step) => [step.step_slug, completeStep(step, held)]))
  const view: HeldRun = { run, step: (slug) => steps.get(slug), seq: snapshot.seq }
  const isUnsequenced = snapshot.seq === null
  const hasEnded = isUnsequenced && isTerminal(run.status)
  let needsSnapshot = false
  for (const event of inOrder(since)) {
    const outcome = mergeEvent(view, event)
    // Without a seq nothing tells which is newer, the end or that the run goes on.
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
  // Without a seq only the statuses tell the age.
  const isComparable = isUnsequenced && seqAtRequest !== null
  if (isComparable && held && isOutdated(held, run, steps.values())) return { kind: 'stale' }
  const ordered = [...steps.values()].sort(compareSteps)
  return { kind: 'replace', run, steps: ordered, seq: view.seq, needsSnapshot }
}

/** Whether a broadcast says that the run has not ended. */
function goesOn({ run }: RunEvent): boolean {
  return run.status !== undefined && !isTerminal(run.status)
}

/** The step with what the snapshot leaves out: an output that is known is not lost. */
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
