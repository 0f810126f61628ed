/** A message of the protocol, either way. */
export interface Message {
  joinRef: string | null
  ref: string | null
  topic: string
  event: string
  payload: unknown
}

/** The payload of a broadcast that a client sent in a binary frame: event and payload, encoded. */
export class EncodedBroadcast {
  readonly event: string
  readonly payload: string | Uint8Array

  constructor(event: string, payload: string | Uint8Array) {
    this.event = event
    this.payload = payload
  }
}

/** The parts of a broadcast with a payload that is already encoded. */
export interface ServerBroadcast {
  /** Wire topic, with its `realtime:` prefix. */
  topic: string
  event: string
  /** JSON text, empty for none. */
  meta: string
  /** JSON text, or bytes a client sent as such. */
  payload: string | Uint8Array
}

/** How one version of the protocol writes and reads its frames. */
export interface Serializer {
  /** Writes a text frame. */
  encode(message: Message): string
  /** Reads a frame; undefined for what is not one, which the real server drops. */
  decode(bytes: Buffer, isBinary: boolean): Message | undefined
  /** Writes a client's broadcast of a text frame, given as JSON. */
  encodeTextBroadcast(topic: string, json: string): string
  /** Undefined for what this version cannot write, which no subscriber of it ever receives. */
  encodeBroadcast(broadcast: ServerBroadcast): string | Uint8Array | undefined
}

/** Reads JSON; undefined for what is none. */
export function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch {
    return undefined
  }
}

/** A message from its fields, unless one has the wrong type. */
export function readMessage(
  joinRef: unknown,
  ref: unknown,
  topic: unknown,
  event: unknown,
  payload: unknown,
): Message | undefined {
  if (!isRef(joinRef) || !isRef(ref)) return undefined
  if (typeof topic !== 'string' || typeof event !== 'string') return undefined
  return { joinRef, ref, topic, event, payload }
}

function isRef(value: unknown): value is string | null {
  return value === null || typeof value === 'string'
}
