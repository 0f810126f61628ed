import { getEventListeners } from 'node:events'
import { createPinia } from 'pinia'
import { usePgflowStore, type PgflowError } from 'pinia-pgflow'
import { createTestPgflow } from 'pinia-pgflow/testing'
import { describe, expect, it } from 'vitest'
import { createSSRApp } from 'vue'
import { codeOf } from '../support/code-of.ts'

const flows = { greet: { hello: { output: 'Hello' } }, forbidden: { only: {} } }
const times = 20

/** A script whose every call gets the same signal, as that of a page or a request. */
function createScript() {
  const pgflow = createTestPgflow({ flows, ssr: false, onError: () => {} })
  pgflow.disallowStart('forbidden')
  const pinia = createPinia()
  createSSRApp({}).use(pinia).use(pgflow)
  const controller = new AbortController()
  const { signal } = controller
  return {
    pgflow,
    store: usePgflowStore(pinia),
    controller,
    signal,
    listeners: () => getEventListeners(signal, 'abort').length,
    /** The codes of many calls, once each has settled. */
    many: async (call: (index: number) => Promise<unknown>) => {
      const codes = Array.from({ length: times }, (_, index) => codeOf(call(index)))
      return new Set(await Promise.all(codes))
    },
  }
}

describe("a caller's signal keeps nothing of a start that has settled", () => {
  it('with a run', async () => {
    const { store, signal, listeners, many } = createScript()
    expect(await many(() => store.startFlow('greet', {}, { signal }))).toEqual(new Set(['none']))
    expect(listeners()).toBe(0)
  })

  it('with a refusal, before or after it was sent', async () => {
    const { store, signal, listeners, many } = createScript()
    const forbidden = () => store.startFlow('forbidden', {}, { signal })
    expect(await many(forbidden)).toEqual(new Set(['flow_not_allowed']))
    const invalid = () => store.startFlow('greet', {}, { signal, runId: 'none' })
    expect(await many(invalid)).toEqual(new Set(['invalid_input']))
    expect(listeners()).toBe(0)
  })

  it('after repetitions, in time and too late', async () => {
    const { store, pgflow, signal, listeners, many } = createScript()
    for (let index = 0; index < times; index += 1) pgflow.faults.loseReply('start')
    const repeated = many(() => store.startFlow('greet', {}, { signal }))
    await pgflow.advance(5_000)
    expect(await repeated).toEqual(new Set(['none']))
    for (let index = 0; index < times; index += 1) pgflow.faults.hangRequest('start')
    const late = many(() => store.startFlow('greet', {}, { signal, timeout: 1_000 }))
    await pgflow.advance(1_000)
    expect(await late).toEqual(new Set(['timeout']))
    expect(listeners()).toBe(0)
  })

  it('when it fires', async () => {
    const { store, pgflow, controller, signal, listeners, many } = createScript()
    for (let index = 0; index < times; index += 1) pgflow.faults.hangRequest('start')
    const aborted = many(() => store.startFlow('greet', {}, { signal }))
    await pgflow.settled()
    expect(listeners()).toBeGreaterThan(0)
    controller.abort()
    expect(await aborted).toEqual(new Set(['aborted']))
    expect(await many(() => store.startFlow('greet', {}, { signal }))).toEqual(new Set(['aborted']))
    expect(listeners()).toBe(0)
  })
})

describe("a caller's signal keeps nothing of a wait that has settled", () => {
  it('with a run that had ended, or ends', async () => {
    const { store, pgflow, signal, listeners, many } = createScript()
    const { id } = pgflow.seedRun('greet', {}, { status: 'completed' })
    expect(await many(() => store.waitForRun(id, { signal }))).toEqual(new Set(['none']))
    const run = pgflow.seedRun('greet', {})
    const waiting = many(() => store.waitForRun(run.id, { signal }))
    await pgflow.settled()
    expect(listeners()).toBe(times)
    await run.play()
    expect(await waiting).toEqual(new Set(['none']))
    expect(listeners()).toBe(0)
  })

  it('with a failure', async () => {
    const { store, pgflow, signal, listeners, many } = createScript()
    const run = pgflow.seedRun('greet', {})
    const failing = many(() => store.waitForRun(run.id, { signal }))
    await run.fail('hello', 'no')
    expect(await failing).toEqual(new Set(['run_failed']))
    const unknown = () => store.waitForRun(crypto.randomUUID(), { signal })
    expect(await many(unknown)).toEqual(new Set(['run_not_found']))
    expect(await many(() => store.waitForRun('none', { signal }))).toEqual(
      new Set(['invalid_input']),
    )
    expect(listeners()).toBe(0)
  })

  it('too late, removed, or when it fires', async () => {
    const { store, pgflow, controller, signal, listeners, many } = createScript()
    const { id } = pgflow.seedRun('greet', {})
    const late = many(() => store.waitForRun(id, { signal, timeout: 1_000 }))
    await pgflow.advance(1_000)
    expect(await late).toEqual(new Set(['timeout']))
    const removed = many(() => store.waitForRun(id, { signal }))
    await pgflow.settled()
    store.removeRun(id)
    expect(await removed).toEqual(new Set(['aborted']))
    expect(listeners()).toBe(0)
    const aborted = many(() => store.waitForRun(id, { signal }))
    await pgflow.settled()
    const reason = new Error('the page is gone')
    controller.abort(reason)
    expect(await aborted).toEqual(new Set(['aborted']))
    const error: unknown = await store.waitForRun(id, { signal }).catch((thrown: unknown) => thrown)
    expect((error as PgflowError).cause).toBe(reason)
    expect(listeners()).toBe(0)
  })
})
