/**
 * The wire format of Supabase Realtime, protocol version 2.0.0: text frames are JSON arrays
 * `[join_ref, ref, topic, event, payload]`, broadcasts may be binary.
 */

/** A message of the protocol, either way. */
export interface Message {
  joinRef: string | null
  ref: string | null
  topic: string
  event: string
  payload: unknown
}

/** A broadcast that a client sent in a binary frame. */
export interface ClientBroadcast {
  joinRef: string | null
  ref: string | null
  topic: string
  event: string
  payload: Uint8Array
  encoding: 'json' | 'binary'
}

/** Writes a text frame. */
export function encodeText({ joinRef, ref, topic, event, payload }: Message): string {
  return JSON.stringify([joinRef, ref, topic, event, payload])
}

/** Reads a text frame; undefined for what is not one, which the real server drops. */
export function decodeText(text: string): Message | undefined {
  let frame: unknown
  try {
    frame = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!Array.isArray(frame) || frame.length !== 5) return undefined
  const [joinRef, ref, topic, event, payload] = frame as unknown[]
  if (!isRef(joinRef) || !isRef(ref)) return undefined
  if (typeof topic !== 'string' || typeof event !== 'string') return undefined
  return { joinRef, ref, topic, event, payload }
}

const kindClientBroadcast = 3
const kindBroadcast = 4
const encodings = ['binary', 'json'] as const

/** The parts of a broadcast as the server sends it. */
export interface ServerBroadcast {
  /** Wire topic, with its `realtime:` prefix. */
  topic: string
  event: string
  /** JSON text, empty for none. */
  meta: string
  payload: string | Uint8Array
}

/**
 * Writes a kind 4 frame, the only binary kind the client reads; undefined when the topic, the
 * event or the metadata do not fit their one-byte length, which no subscriber ever receives.
 */
export function encodeBroadcast(broadcast: ServerBroadcast): Uint8Array | undefined {
  const { payload } = broadcast
  const fields = [broadcast.topic, broadcast.event, broadcast.meta].map((text) => Buffer.from(text))
  if (fields.some((field) => field.length > 255)) return undefined
  const encoding = encodings.indexOf(typeof payload === 'string' ? 'json' : 'binary')
  return Buffer.concat([
    Buffer.from([kindBroadcast, ...fields.map((field) => field.length), encoding]),
    ...fields,
    Buffer.from(payload),
  ])
}

/** Reads a kind 3 frame; undefined for anything else. */
export function decodeBroadcast(frame: Uint8Array): ClientBroadcast | undefined {
  const headLength = 7
  if (frame[0] !== kindClientBroadcast || frame.length < headLength) return undefined
  const lengths = [...frame.subarray(1, headLength - 1)]
  const encoding = encodings[frame[headLength - 1] ?? -1]
  let offset = headLength
  const fields = lengths.map((length) => {
    const field = frame.subarray(offset, offset + length)
    offset += length
    return Buffer.from(field).toString('utf8')
  })
  const [joinRef, ref, topic, event] = fields
  if (!encoding || !topic || event === undefined || offset > frame.length) return undefined
  return {
    joinRef: joinRef === '' ? null : (joinRef ?? null),
    ref: ref === '' ? null : (ref ?? null),
    topic,
    event,
    encoding,
    payload: frame.subarray(offset),
  }
}

function isRef(value: unknown): value is string | null {
  return value === null || typeof value === 'string'
}
