import { describe, expect, it } from 'vitest'
import { version1 } from '../../../playground/backend/realtime/protocol-v1.ts'
import { version2 } from '../../../playground/backend/realtime/protocol-v2.ts'
import { EncodedBroadcast } from '../../../playground/backend/realtime/serializer.ts'

const encodeBroadcast: typeof version2.encodeBroadcast = (broadcast) =>
  version2.encodeBroadcast(broadcast)
const decodeText = (text: string) => version2.decode(Buffer.from(text), false)
const decodeBroadcast = (bytes: number[]) => version2.decode(Buffer.from(bytes), true)

describe('text frames', () => {
  it('survive the way there and back', () => {
    const message = { joinRef: '1', ref: null, topic: 't', event: 'e', payload: { a: [1, 'ü'] } }
    expect(decodeText(version2.encode(message))).toEqual(message)
  })

  it.each(['', '{', '{}', '[]', '["1","1","t","e"]', '[1,"1","t","e",{}]', '[null,null,1,"e",{}]'])(
    'are dropped when they are none: %s',
    (text) => expect(decodeText(text)).toBeUndefined(),
  )
})

describe('the objects of version 1.0.0', () => {
  const decode = (text: string) => version1.decode(Buffer.from(text), false)

  it('survive the way there and back, without the ref of the join', () => {
    const message = { joinRef: '1', ref: '2', topic: 't', event: 'e', payload: { a: [1, 'ü'] } }
    expect(decode(version1.encode(message))).toEqual({ ...message, joinRef: null })
  })

  it.each([
    '',
    '{',
    '[]',
    '{"topic":"t","event":"e","ref":"1"}',
    '{"event":"e","ref":"1","payload":1}',
    '{"topic":"t","event":"e","payload":{}}',
    '{"topic":1,"event":"e","ref":"1","payload":1}',
  ])('are dropped when they are none: %s', (text) => expect(decode(text)).toBeUndefined())

  it('carry a payload as the text it is, and no bytes', () => {
    const broadcast = { topic: 't', event: '"', meta: '', payload: '{"n":123456789012345678901}' }
    expect(version1.encodeBroadcast(broadcast)).toBe(
      '{"topic":"t","event":"broadcast","payload":{"event":"\\"","payload":' +
        '{"n":123456789012345678901},"type":"broadcast"},"ref":null}',
    )
    expect(version1.encodeBroadcast({ ...broadcast, payload: new Uint8Array([1]) })).toBeUndefined()
  })
})

describe('a broadcast to clients', () => {
  it('has the layout clients read, with lengths in bytes', () => {
    const frame = encodeBroadcast({ topic: 'ä', event: 'e', meta: '{}', payload: '1' })
    expect([...(frame ?? [])]).toEqual([4, 2, 1, 2, 1, 0xc3, 0xa4, 101, 123, 125, 49])
  })

  it('marks bytes as such', () => {
    const frame = encodeBroadcast({ topic: '', event: '', meta: '', payload: new Uint8Array([9]) })
    expect([...(frame ?? [])]).toEqual([4, 0, 0, 0, 0, 9])
  })

  it('does not exist for a field that is longer than one byte can count', () => {
    const topic = 'x'.repeat(255)
    expect(encodeBroadcast({ topic, event: '', meta: '', payload: '' })).toBeDefined()
    expect(
      encodeBroadcast({ topic: `${topic}x`, event: '', meta: '', payload: '' }),
    ).toBeUndefined()
    const umlauts = 'ä'.repeat(128)
    expect(encodeBroadcast({ topic: '', event: umlauts, meta: '', payload: '' })).toBeUndefined()
  })
})

describe('a broadcast from a client', () => {
  const frame = [3, 1, 2, 3, 1, 2, 1, ...Buffer.from('112top' + 'e' + '{}' + '[7]')]

  it('is taken apart', () => {
    const payload = new EncodedBroadcast('e', '[7]')
    const message = { joinRef: '1', ref: '12', topic: 'top', event: 'broadcast', payload }
    expect(decodeBroadcast(frame)).toEqual(message)
  })

  it('is dropped when it is cut short or of another kind', () => {
    for (let length = 0; length < frame.length - 3; length += 1) {
      expect(decodeBroadcast(frame.slice(0, length))).toBeUndefined()
    }
    expect(decodeBroadcast([4, ...frame.slice(1)])).toBeUndefined()
    expect(decodeBroadcast([...frame.slice(0, 6), 9, ...frame.slice(7)])).toBeUndefined()
  })
})
