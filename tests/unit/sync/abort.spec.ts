import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { PgflowError } from '../../../src/errors.ts'
import { abortable, pause, withTimeout } from '../../../src/sync/abort.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'
import { codeOf } from './support/kit.ts'

const listeners = (signal: AbortSignal) => getEventListeners(signal, 'abort').length
const never = () => new Promise<never>(() => {})

describe('a pause', () => {
  it('leaves no listener and no timer, over or aborted', async () => {
    const clock = new VirtualClock(() => 0.5)
    const { signal } = new AbortController()
    for (let n = 0; n < 20; n += 1) {
      const over = pause(clock, 250, signal)
      expect(listeners(signal)).toBe(1)
      await clock.advance(250)
      await over
    }
    expect(listeners(signal)).toBe(0)
    const life = new AbortController()
    const aborted = codeOf(pause(clock, 250, life.signal))
    life.abort(new PgflowError('timeout', 'Too late.'))
    expect(await aborted).toBe('timeout')
    expect(clock.pending).toBe(0)
    expect(listeners(life.signal)).toBe(0)
  })

  it('lasts its time, and ends early on request', async () => {
    const clock = new VirtualClock(() => 0.5)
    const { signal } = new AbortController()
    let isOver = false
    void pause(clock, 250, signal).then(() => (isOver = true))
    await clock.advance(249)
    expect(isOver).toBe(false)
    await clock.advance(1)
    expect(isOver).toBe(true)
    await pause(clock, 250, signal, (end) => end())
    expect(clock.pending).toBe(0)
    expect(listeners(signal)).toBe(0)
  })
})

describe('abortable work', () => {
  it('is not begun when a signal has fired, and fails by its reason', async () => {
    let isBegun = false
    const work = () => {
      isBegun = true
      return never()
    }
    const reason = new PgflowError('timeout', 'Too late.')
    expect(await codeOf(abortable([undefined, AbortSignal.abort(reason)], work))).toBe('timeout')
    expect(isBegun).toBe(false)
  })

  it('ends with any signal, fires that of the work, and removes every listener', async () => {
    const [one, other] = [new AbortController(), new AbortController()]
    const seen: AbortSignal[] = []
    const ended = codeOf(
      abortable([one.signal, undefined, other.signal], (signal) => {
        seen.push(signal)
        return never()
      }),
    )
    other.abort('whatever')
    expect(await ended).toBe('aborted')
    expect(seen.map(({ aborted }) => aborted)).toEqual([true])
    expect(listeners(one.signal) + listeners(other.signal)).toBe(0)
  })

  it('keeps what a caller gave as the reason', async () => {
    const reason = new Error('a page was left')
    const failed = abortable([AbortSignal.abort(reason)], never)
    const message = 'The call was aborted.'
    await expect(failed).rejects.toMatchObject({ code: 'aborted', message, cause: reason })
  })

  it('returns the result of the work, or its failure', async () => {
    const { signal } = new AbortController()
    expect(await abortable([signal], () => Promise.resolve(7))).toBe(7)
    await expect(abortable([signal], () => Promise.reject(new Error('mine')))).rejects.toThrow(
      'mine',
    )
    expect(listeners(signal)).toBe(0)
  })
})

describe('a timeout', () => {
  it('fires after its time, and leaves no timer after a result', async () => {
    const clock = new VirtualClock(() => 0.5)
    let code = 'waits'
    void codeOf(withTimeout(clock, 100, [], never)).then((end) => (code = end))
    await clock.advance(99)
    expect(code).toBe('waits')
    await clock.advance(1)
    expect(code).toBe('timeout')
    expect(await withTimeout(clock, 100, [], () => Promise.resolve(1))).toBe(1)
    expect(clock.pending).toBe(0)
  })

  it('fails with timeout', async () => {
    const clock = new VirtualClock(() => 0.5)
    const late = withTimeout(clock, 100, [], never).catch((error: unknown) => error)
    await clock.advance(100)
    expect(await late).toMatchObject({ message: 'The server did not respond in time.' })
  })
})
