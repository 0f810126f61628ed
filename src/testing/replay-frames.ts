import type { RunSnapshot, StepSnapshot } from '../model/entities.ts'
import { isTerminal } from '../model/entities.ts'
import { isSameJson } from '../model/json.ts'
import { mergeSnapshot } from '../model/merge.ts'
import {
  messageOf,
  type ParsedRecording,
  type ParsedTrace,
  type RecordedMessage,
} from '../model/run-recording.ts'
import type { RunEvent } from '../model/wire.ts'

/** One moment of a replay: the state of the database, and what it sends. */
export interface ReplayFrame {
  /** In ms since 1970. */
  at: number
  snapshot: RunSnapshot
  /** Null where nothing is sent. */
  message: RecordedMessage | null
}

/**
 * The moments of a recording, from the first whole state that was recorded to the last; at least
 * one. The recorded broadcasts are sent again as they came: late, twice or with gaps. Meanwhile the
 * database returns what it had returned then.
 */
export function framesOf(recording: ParsedRecording): ReplayFrame[] {
  const { final, records } = sequenced(recording)
  const begin = records.findIndex((record) => answerOf(record) !== null)
  const first = records[begin]
  if (!first?.snapshot) return [{ at: records.at(-1)?.at ?? 0, snapshot: final, message: null }]
  const frames: ReplayFrame[] = [{ at: first.at, snapshot: first.snapshot, message: null }]
  let held = first.snapshot
  /** The highest seq that was broadcast. */
  let sent = held.seq ?? 0
  const push = (at: number, snapshot: RunSnapshot, message: RecordedMessage | null) => {
    held = snapshot
    frames.push({ at, snapshot, message })
  }
  const rest = records.slice(begin + 1)
  for (const [index, record] of rest.entries()) {
    const { at, event, message } = record
    const answer = answerOf(record)
    if (event && message) {
      push(at, afterEvent(held, event, [...rest.slice(index + 1), final]), message)
      sent = Math.max(sent, event.seq ?? 0)
    } else if (answer && (answer.seq ?? 0) >= (held.seq ?? 0)) {
      const isNews = (answer.seq ?? 0) > sent
      push(at, answer, isNews ? wakingMessage(answer) : null)
      sent = Math.max(sent, answer.seq ?? 0)
    }
  }
  if (!isSameState(held, final)) {
    const last = { ...final, seq: Math.max(final.seq ?? 0, sent + 1) }
    push(frames.at(-1)?.at ?? first.at, last, wakingMessage(last))
  }
  return frames
}

/** The snapshot of a record; a stale one was not merged. */
function answerOf({ kind, snapshot }: ParsedTrace): RunSnapshot | null {
  return kind === 'answer' ? snapshot : null
}

/** What the database has when a broadcast comes. */
function afterEvent(
  held: RunSnapshot,
  event: RunEvent,
  later: readonly (ParsedTrace | RunSnapshot)[],
): RunSnapshot {
  const outcome = mergeSnapshot(held, [event], null)
  if (outcome.kind === 'stale' || outcome.seq === held.seq) return held
  if (outcome.needsSnapshot || event.needsSnapshot) {
    // Broadcasts before it are missing, or it does not say all: an answer that follows does.
    const answers = later.map((each) => ('kind' in each ? answerOf(each) : each))
    const answer = answers.find((each) => (each?.seq ?? 0) >= (event.seq ?? 0))
    if (answer) return answer
  }
  const { run, steps, seq } = outcome
  const before = new Map(held.steps.map((step) => [step.step_slug, step.retry]))
  if (event.step && event.retry) before.set(event.step.slug, event.retry)
  return {
    run,
    seq,
    steps: steps.map((step) => ({
      ...step,
      retry: isTerminal(step.status) ? null : (before.get(step.step_slug) ?? null),
    })),
  }
}

/**
 * Makes clients read the run, because a recorded snapshot had changes that were not broadcast. Sent
 * as a change of a later version, which only leads to a snapshot.
 */
function wakingMessage({ run: { run_id }, seq }: RunSnapshot): RecordedMessage {
  const name = 'run:replayed'
  return { name, payload: { run_id, seq, event_type: name } }
}

/**
 * Where nothing was counted, as with plain pgflow, it is counted now: in the order in which it
 * came.
 */
function sequenced(recording: ParsedRecording): ParsedRecording {
  if (recording.final.seq !== null) return recording
  let seq = 1
  // Without a seq, the event would not be recognised as too old.
  const applied = recording.records.filter(({ kind }) => kind !== 'stale')
  const records = applied.map((record): ParsedTrace => {
    const { event, snapshot } = record
    if (snapshot) return { ...record, snapshot: { ...snapshot, seq } }
    if (!event) return record
    seq += 1
    const sequencedEvent = { ...event, seq }
    return { ...record, event: sequencedEvent, message: messageOf(sequencedEvent) }
  })
  return { ...recording, records, final: { ...recording.final, seq } }
}

function isSameState(a: RunSnapshot, b: RunSnapshot): boolean {
  return isSameJson(comparable(a), comparable(b))
}

function comparable({ run, steps }: RunSnapshot) {
  const byslug = [...steps].sort((a, b) => (a.step_slug < b.step_slug ? -1 : 1))
  return {
    run,
    steps: byslug.map((step: StepSnapshot) => ({ ...step, retry: step.retry ?? null })),
  }
}
