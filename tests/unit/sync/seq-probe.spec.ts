import { describe, expect, it } from 'vitest'
import { PgflowError } from '../../../src/errors.ts'
import { SeqProbe } from '../../../src/sync/seq-probe.ts'
import { settle, VirtualClock } from '../../support/virtual-clock.ts'
import { ScriptedTransport } from './support/scripted-transport.ts'

function createProbe(hasSeqs = true) {
  const transport = new ScriptedTransport(true, hasSeqs)
  const probe = new SeqProbe(transport, new VirtualClock(() => 0.5), 10_000)
  /** Who wants to know of these runs, and what they were told. */
  const target = (...runIds: string[]) => {
    const told: unknown[] = []
    return {
      told,
      runIds: () => runIds,
      onSeqs: (seqs: ReadonlyMap<string, number | null>) =>
        void told.push(Object.fromEntries(seqs)),
      onFailed: (error: PgflowError) => void told.push(error.code),
    }
  }
  const added = (...runIds: string[]) => {
    const one = target(...runIds)
    probe.add(one)
    return one
  }
  const asked = () => transport.requests.map(({ runIds }) => runIds)
  return { transport, probe, added, asked }
}

describe('a probe', () => {
  it('requests it once for all runs of all targets', async () => {
    const { transport, probe, added, asked } = createProbe()
    const [one, other] = [added('a', 'b'), added('b', 'c')]
    const nothing = added()
    void probe.request(one)
    expect(asked()).toEqual([['a', 'b', 'c']])
    await transport.requests[0]?.replySeqs({ a: 1 })
    const all = { a: 1, b: null, c: null }
    expect([one.told, other.told]).toEqual([[all], [all]])
    expect(nothing.told).toEqual([])
  })

  it('of nothing is not sent', async () => {
    const { probe, added, asked } = createProbe()
    await probe.request(added())
    expect(asked()).toEqual([])
  })

  it('is not possible where nothing is counted', async () => {
    const { probe, added } = createProbe(false)
    expect(probe.isPossible).toBe(false)
    const one = added('a')
    await probe.request(one)
    expect(one.told).toEqual([])
  })

  it('leaves out who has gone, and tells them nothing', async () => {
    const { transport, probe, added, asked } = createProbe()
    const [gone, leaving, one] = [added('a'), added('b'), added('c')]
    probe.remove(gone)
    void probe.request(one)
    expect(asked()).toEqual([['b', 'c']])
    probe.remove(leaving)
    await transport.requests[0]?.replySeqs({ b: 1 })
    expect([gone.told, leaving.told, one.told]).toEqual([[], [], [{ b: 1, c: null }]])
  })

  it('tells everybody that it has failed', async () => {
    const { transport, probe, added } = createProbe()
    const one = added('a')
    void probe.request(one)
    await transport.requests[0]?.fail(new PgflowError('unreachable', 'The server is down.'))
    expect(one.told).toEqual(['unreachable'])
  })

  it('is given up when nothing is followed any more', async () => {
    const { transport, probe, added } = createProbe()
    const one = added('a')
    void probe.request(one)
    probe.dispose()
    await settle()
    expect(transport.requests[0]?.signal.aborted).toBe(true)
    expect(one.told).toEqual([])
  })
})

describe('while a probe is under way', () => {
  it('whom it is for does not ask again', async () => {
    const { transport, probe, added, asked } = createProbe()
    const one = added('a')
    void probe.request(one)
    void probe.request(one)
    await transport.requests[0]?.replySeqs({})
    expect(asked()).toHaveLength(1)
  })

  it('whom it is not for asks after it, once', async () => {
    const { transport, probe, added, asked } = createProbe()
    void probe.request(added('a'))
    const late = added('b')
    void probe.request(late)
    expect(asked()).toEqual([['a']])
    await transport.requests[0]?.replySeqs({})
    expect(asked()).toEqual([['a'], ['a', 'b']])
    await transport.requests[1]?.replySeqs({ b: 2 })
    expect(late.told).toEqual([{ a: null, b: 2 }])
    expect(asked()).toHaveLength(2)
  })
})
