import * as v from 'valibot'
import { PgflowError } from '../errors.ts'
import type { FlowShape, Json, RunConnection, RunSnapshot } from './entities.ts'
import { anyJson, parseEvent, parseFlowShape, parseSnapshot, type Parsed } from './wire.ts'
import type { RunEvent } from './wire.ts'

/** Identifies a recording. */
export const recordingFormat = 'pinia-pgflow recording'
/** The version of the format. */
export const recordingVersion = 1

/** A broadcast, as docs/broadcast-contract.md describes it. */
export interface RecordedMessage {
  name: string
  payload: Record<string, Json>
}

/** One step of the sync. */
export interface RecordedTrace {
  /** When, as an ISO 8601 text. */
  at: string
  /** What: a `TraceKind`. */
  kind: string
  /** The broadcast of the event. */
  message?: RecordedMessage
  /** What the database returned. */
  snapshot?: RunSnapshot
  /** What failed. */
  error?: { code: string; message: string; hint: string | null }
  /** Why the request was made. */
  reason?: string
}

/**
 * The recording of a run, as Vue devtools export it and `createTestPgflow().replay` takes it: plain
 * JSON, with the inputs and outputs of the run in it.
 */
export interface RunRecording {
  format: typeof recordingFormat
  version: typeof recordingVersion
  /** When it was exported, as an ISO 8601 text. */
  exportedAt: string
  /** The versions of pinia-pgflow and Vue that made it. */
  versions: Record<string, string>
  /** The shape of the flow, if it was read. */
  flow: FlowShape | null
  /** The connection of the run when it was exported. */
  connection: RunConnection | null
  /** How many older records were not kept. */
  dropped: number
  /** The run and its steps when it was exported. */
  final: RunSnapshot
  /** What the sync did, the oldest first. */
  records: RecordedTrace[]
}

/** A parsed record of a recording. */
export interface ParsedTrace {
  /** In ms since 1970. */
  at: number
  kind: string
  event: RunEvent | null
  message: RecordedMessage | null
  snapshot: RunSnapshot | null
}

/** What a replay needs from a recording. */
export interface ParsedRecording {
  flow: FlowShape | null
  final: RunSnapshot
  records: ParsedTrace[]
}

/** Created when needed, to keep it out of the bundles of apps. */
const recordingSchema = () =>
  v.object({
    format: v.literal(recordingFormat),
    version: v.literal(recordingVersion),
    flow: v.nullable(anyJson),
    final: anyJson,
    records: v.array(
      v.object({
        at: v.pipe(v.string(), v.isoTimestamp()),
        kind: v.string(),
        message: v.optional(v.object({ name: v.string(), payload: v.record(v.string(), anyJson) })),
        snapshot: v.optional(anyJson),
      }),
    ),
  })

/**
 * Parses a recording.
 * @throws PgflowError `invalid_options`, with the path of the first part that is not valid.
 */
export function parseRecording(recording: unknown): ParsedRecording {
  const envelope = v.safeParse(recordingSchema(), recording)
  if (!envelope.success) {
    const [issue] = envelope.issues
    throw notARecording(
      `${v.getDotPath(issue) ?? 'it'} is not ${issue.expected ?? 'as it has to be'}`,
    )
  }
  const { flow, final, records } = envelope.output
  const parsed = valueOf('final', parseSnapshot(final))
  const { run_id } = parsed.run
  const checkRun = (id: string, place: string) => {
    if (id !== run_id) throw notARecording(`${place} is of another run`)
  }
  return {
    flow: flow === null ? null : valueOf('flow', parseFlowShape(flow)),
    final: parsed,
    records: records.map(({ at, kind, message = null, snapshot }, index) => {
      const place = `records.${index}`
      const event = message && valueOf(place, parseEvent(message.name, message.payload))
      const parsedSnapshot = snapshot === undefined ? null : valueOf(place, parseSnapshot(snapshot))
      if (event) checkRun(event.run_id, place)
      if (parsedSnapshot) checkRun(parsedSnapshot.run.run_id, place)
      return { at: Date.parse(at), kind, event, message, snapshot: parsedSnapshot }
    }),
  }
}

function valueOf<T>(place: string, parsed: Parsed<T>): T {
  if (parsed.ok) return parsed.value
  throw notARecording(`${place}: ${parsed.reason}`)
}

function notARecording(reason: string): PgflowError {
  return new PgflowError('invalid_options', `This is not the recording of a run: ${reason}.`, {
    hint: 'Export one with the action of a run in the pgflow inspector of Vue devtools.',
  })
}

/** The broadcast that is parsed as this event; the reverse of `parseEvent`. */
export function messageOf(event: RunEvent): RecordedMessage {
  const { run_id, seq, type, run, step, retry, needsSnapshot } = event
  const change = type.slice(type.indexOf(':') + 1)
  const changes = step ? { step_slug: step.slug, ...run, ...step.patch, ...retry } : run
  const values = new Map<string, Json | undefined>(Object.entries(changes))
  const fields = [...values].filter((field): field is [string, Json] => field[1] !== undefined)
  return {
    name: step ? `${step.slug}:${change}` : type,
    payload: {
      ...Object.fromEntries(fields),
      run_id,
      event_type: type,
      ...(seq !== null && { seq }),
      ...(needsSnapshot && { truncated: [] }),
    },
  }
}
