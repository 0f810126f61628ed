import { asRecord } from './join-request.ts'
import { parseJson, readMessage, type Serializer } from './serializer.ts'

/**
 * The wire format of protocol version 1.0.0, which is that of clients who name none: text frames
 * are JSON objects, and nothing is binary.
 */
export const version1: Serializer = {
  encode: ({ topic, event, payload, ref }) => JSON.stringify({ topic, event, payload, ref }),

  decode(bytes) {
    const { join_ref: joinRef = null, ref, topic, event, payload } = asRecord(parseJson(bytes))
    return payload === undefined ? undefined : readMessage(joinRef, ref, topic, event, payload)
  },

  encodeTextBroadcast: writeText,

  encodeBroadcast({ topic, event, meta, payload }) {
    if (typeof payload !== 'string') return undefined
    // The payload is put in as the text that it is: JavaScript would round its large numbers.
    const metaField = meta === '' ? '' : `,"meta":${meta}`
    const content = `{"event":${JSON.stringify(event)},"payload":${payload},"type":"broadcast"${metaField}}`
    return writeText(topic, content)
  },
}

function writeText(topic: string, json: string): string {
  return `{"topic":${JSON.stringify(topic)},"event":"broadcast","payload":${json},"ref":null}`
}
