import { describe, expect, it } from 'vitest'
import {
  decodeBroadcast,
  decodeText,
  encodeBroadcast,
  encodeText,
} from '../../../playground/backend/realtime/protocol.ts'

describe('text frames', () => {
  it('survive the way there and back', () => {
    const message = { joinRef: '1', ref: null, topic: 't', event: 'e', payload: { a: [1, 'ü'] } }
    expect(decodeText(encodeText(message))).toEqual(message)
  })

  it.each(['', '{', '{}', '[]', '["1","1","t","e"]', '[1,"1","t","e",{}]', '[null,null,1,"e",{}]'])(
    'are dropped when they are none: %s',
    (text) => expect(decodeText(text)).toBeUndefined(),
  )
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

  it('does not exist for a field that is longer than one byte can say', () => {
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
    expect(decodeBroadcast(new Uint8Array(frame))).toEqual({
      joinRef: '1',
      ref: '12',
      topic: 'top',
      event: 'e',
      encoding: 'json',
      payload: new Uint8Array(Buffer.from('[7]')),
    })
  })

  it('is dropped when it is cut short or of another kind', () => {
    for (let length = 0; length < frame.length - 3; length += 1) {
      expect(decodeBroadcast(new Uint8Array(frame.slice(0, length)))).toBeUndefined()
    }
    expect(decodeBroadcast(new Uint8Array([4, ...frame.slice(1)]))).toBeUndefined()
    expect(
      decodeBroadcast(new Uint8Array([...frame.slice(0, 6), 9, ...frame.slice(7)])),
    ).toBeUndefined()
  })
})
