import type { Pinia } from 'pinia'
import { version as vueVersion } from 'vue'
import type { DevtoolsTap } from '../devtools-tap.ts'
import { PgflowError } from '../errors.ts'
import type { Json, RunSnapshot } from '../model/entities.ts'
import {
  messageOf,
  recordingFormat,
  recordingVersion,
  type RecordedTrace,
  type RunRecording,
} from '../model/run-recording.ts'
import type { KeptRecord } from '../trace-log.ts'
import { heldState, rowOf, shapeOf, stepsOf, type HeldState } from './held-state.ts'
import { libraryVersion } from './version.ts'

/**
 * Makes the recording of a run: its state in the store, and the last trace records.
 * @throws PgflowError `run_not_found` when the store does not hold the run, or it has not started.
 */
export function recordRun(pinia: Pinia, { log }: DevtoolsTap, runId: string): RunRecording {
  const state = heldState(pinia)
  const final = finalOf(state, runId)
  const recording: RunRecording = {
    format: recordingFormat,
    version: recordingVersion,
    exportedAt: new Date().toISOString(),
    versions: { 'pinia-pgflow': libraryVersion, vue: vueVersion },
    flow: shapeOf(state, final.run.flow_slug) ?? null,
    connection: rowOf(state.connections, runId) ?? null,
    dropped: log.droppedOf(runId),
    final,
    records: log.of(runId).map(recordedOf),
  }
  return withoutSecrets(recording)
}

function finalOf(state: HeldState, runId: string): RunSnapshot {
  const run = rowOf(state.runs, runId)
  if (!run || run.status === 'pending') {
    throw new PgflowError('run_not_found', 'A run can be exported once the database knows it.', {
      runId,
    })
  }
  const steps = stepsOf(state, runId).map((step) => ({
    ...step,
    retry: rowOf(state.retries, `${runId}/${step.step_slug}`) ?? null,
  }))
  const seq = rowOf(state.connections, runId)?.seq ?? 0
  // A seq of 0 means that events have none.
  return { run: { ...run }, steps, seq: seq > 0 ? seq : null }
}

function recordedOf({ at, kind, content }: KeptRecord): RecordedTrace {
  const record = { at: new Date(at).toISOString(), kind }
  switch (content.type) {
    case 'event':
      // The record before has the event that shows the gap.
      return kind === 'gap' ? record : { ...record, message: messageOf(content.event) }
    case 'snapshot':
      return { ...record, snapshot: content.snapshot }
    case 'error':
      return { ...record, error: content.error }
    case 'reason':
      return { ...record, reason: content.reason }
    default:
      return record
  }
}

/** A token (a JWT), or a key of a Supabase project. */
const secrets = /\beyJ[\w-]{8,}\.[\w-]+\.[\w-]*|\bsb_(?:publishable|secret)_\w+/g

/** Recordings are shared with others: whatever looks like a key or a token is removed. */
function withoutSecrets(recording: RunRecording): RunRecording {
  const text = JSON.stringify(recording, (_key, value: Json) =>
    typeof value === 'string' ? value.replaceAll(secrets, '[left out]') : value,
  )
  // The structure is the same: only texts were changed.
  return JSON.parse(text) as RunRecording
}
