import { createPinia } from 'pinia'
import { usePgflowStatus, usePgflowStore } from 'pinia-pgflow'
import { createTestPgflow } from 'pinia-pgflow/testing'
import { describe, expect, it } from 'vitest'
import { watchEffect } from 'vue'
import { mountIn } from '../../support/app.ts'

const flows = { greet: { hello: { output: 'Hello' } } }
const none = { idle: 0, connecting: 0, live: 0, polling: 0, offline: 0, closed: 0 }
const unreachable = { code: 'unreachable', message: 'No answer.', hint: null }

/** An app over a database in memory whose badge is the status. */
function mountBadge(pinia = createPinia()) {
  const pgflow = createTestPgflow({ flows, onError: () => {} })
  const mounted = mountIn(pgflow, () => usePgflowStatus(), pinia)
  return {
    pgflow,
    store: mounted.store,
    lists: mounted.lists,
    status: mounted.result,
    wrapper: mounted.wrapper,
  }
}

describe('usePgflowStatus', () => {
  it('counts what is followed, however many follow it, and not what was left', async () => {
    const { pgflow, store, lists, status, wrapper } = mountBadge()
    const { id } = pgflow.seedRun('greet', {})
    const holds = [store.observeRun(id), store.observeRun(id.toUpperCase()), lists.observeRuns()]
    await pgflow.settled()
    expect(status.value.counts).toEqual({ ...none, live: 1, polling: 1 })

    holds[0]?.release()
    holds[0]?.release()
    expect(status.value.counts).toEqual({ ...none, live: 1, polling: 1 })
    holds[1]?.release()
    // Its channel is still open for whoever follows it next.
    expect(store.connections[id]?.status).toBe('live')
    expect(status.value).toMatchObject({ status: 'polling', counts: { ...none, polling: 1 } })
    holds[2]?.release()
    expect(status.value).toMatchObject({ status: 'idle', counts: none, errors: [] })
    wrapper.unmount()
  })

  it('does not count what was only hydrated', () => {
    const id = crypto.randomUUID()
    const pinia = createPinia()
    const lists = {
      '[null,null,20]': { ids: [], connection: { status: 'idle', error: unreachable } },
    }
    const connections = { [id]: { status: 'closed', error: unreachable } }
    pinia.state.value = { pgflow: { connections, lists } }
    const { status, wrapper } = mountBadge(pinia)
    expect(status.value).toEqual({
      status: 'idle',
      counts: none,
      stalled: 0,
      errors: [],
      reason: null,
    })
    wrapper.unmount()
  })

  it('has no error of a run that was left, and that of one that cannot be read', async () => {
    const { pgflow, store, status, wrapper } = mountBadge()
    const { id } = pgflow.seedRun('greet', {})
    const first = store.observeRun(id)
    const missing = store.observeRun(crypto.randomUUID())
    await pgflow.settled()
    expect(status.value.counts).toEqual({ ...none, live: 1, closed: 1 })
    expect(status.value.errors.map(({ code }) => code)).toEqual(['run_not_found'])
    missing.release()
    expect(status.value.errors).toEqual([])
    first.release()
    wrapper.unmount()
  })

  it('counts what is followed again after $reset, and not what was removed', async () => {
    const { pgflow, store, status, wrapper } = mountBadge()
    const { id } = pgflow.seedRun('greet', {})
    const { release } = store.observeRun(id)
    await pgflow.settled()
    store.$reset()
    await pgflow.settled()
    expect(status.value.counts).toEqual({ ...none, live: 1 })
    store.removeRun(id)
    expect(status.value.counts).toEqual(none)
    release()
    wrapper.unmount()
  })

  it('adds no reactive dependency to an observing effect', async () => {
    const pgflow = createTestPgflow({ flows })
    const ids = [pgflow.seedRun('greet', {}).id, pgflow.seedRun('greet', {}).id]
    let times = 0
    const { wrapper, store } = mountIn(pgflow, () => {
      const store = usePgflowStore()
      watchEffect((onCleanup) => {
        times += 1
        onCleanup(store.observeRun(ids[0] ?? '').release)
      })
      return store
    })
    store.observeRun(ids[1] ?? '').release()
    await pgflow.settled()
    expect(times).toBe(1)
    wrapper.unmount()
  })
})
