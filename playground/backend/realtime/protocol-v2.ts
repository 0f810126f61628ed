import {
  EncodedBroadcast,
  parseJson,
  readMessage,
  type Message,
  type Serializer,
  type ServerBroadcast,
} from './serializer.ts'

/** A broadcast that a client sent in a binary frame. */
interface ClientBroadcast {
  joinRef: string | null
  ref: string | null
  topic: string
  event: string
  payload: Uint8Array
  encoding: 'json' | 'binary'
}

const kindClientBroadcast = 3
const kindBroadcast = 4
const encodings = ['binary', 'json'] as const

/**
 * The wire format of protocol version 2.0.0: text frames are JSON arrays
 * `[join_ref, ref, topic, event, payload]`, broadcasts may be binary.
 */
export const version2 = {
  encode: ({ joinRef, ref, topic, event, payload }: Message) =>
    JSON.stringify([joinRef, ref, topic, event, payload]),

  decode(bytes: Buffer, isBinary: boolean) {
    if (isBinary) return readClientBroadcast(bytes)
    const frame = parseJson(bytes)
    if (!Array.isArray(frame) || frame.length !== 5) return undefined
    const [joinRef, ref, topic, event, payload] = frame as unknown[]
    return readMessage(joinRef, ref, topic, event, payload)
  },

  encodeTextBroadcast: (topic: string, json: string) =>
    `[null,null,${JSON.stringify(topic)},"broadcast",${json}]`,

  /** Of kind 4, the only binary one that clients read. Each length has one byte. */
  encodeBroadcast({ topic, event, meta, payload }: ServerBroadcast) {
    const fields = [topic, event, meta].map((text) => Buffer.from(text))
    if (fields.some((field) => field.length > 255)) return undefined
    const encoding = encodings.indexOf(typeof payload === 'string' ? 'json' : 'binary')
    return Buffer.concat([
      Buffer.from([kindBroadcast, ...fields.map((field) => field.length), encoding]),
      ...fields,
      Buffer.from(payload),
    ])
  },
} satisfies Serializer

/** A client's binary broadcast, as the text message it stands for. */
function readClientBroadcast(bytes: Uint8Array): Message | undefined {
  const sent = decodeBroadcast(bytes)
  if (!sent) return undefined
  const { event, payload, encoding, ...rest } = sent
  const content = encoding === 'json' ? Buffer.from(payload).toString('utf8') : payload
  return { ...rest, event: 'broadcast', payload: new EncodedBroadcast(event, content) }
}

/** Reads a kind 3 frame; undefined for anything else. */
function decodeBroadcast(frame: Uint8Array): ClientBroadcast | undefined {
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
