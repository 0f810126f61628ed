import { useRun } from 'pinia-pgflow'
import { createTestPgflow } from 'pinia-pgflow/testing'
import { describe, expect, it } from 'vitest'
import { mountIn } from '../../support/app.ts'

// What docs/errors.md and docs/guides say of channels that are joined and silent, of refusals, and
// of who signs in.

const flows = { report: { list: { output: ['a'] }, sum: { deps: ['list'] } } }

describe('a channel that is joined and silent', () => {
  it('is found within 5 s, and stays silent until a broadcast arrives [F32]', async () => {
    const pgflow = createTestPgflow({ flows })
    const seeded = pgflow.seedRun('report', {})
    const { result: view, wrapper } = mountIn(pgflow, () => useRun(seeded.id))
    await pgflow.settled()
    expect(view.connection.value).toMatchObject({ status: 'live', error: null })

    pgflow.faults.dropMessages(100)
    await seeded.complete('list', ['a'])
    expect(view.connection.value.status).toBe('live')
    await pgflow.advance(5_000)
    expect(view.steps.value[0]).toMatchObject({ step_slug: 'list', status: 'completed' })
    expect(view.connection.value).toMatchObject({
      status: 'polling',
      error: { code: 'realtime_silent' },
    })
    expect(pgflow.traced.map(({ kind }) => kind)).toContain('silent')
    expect(pgflow.reported).toEqual([])

    await pgflow.faults.clear()
    await pgflow.advance(60_000)
    expect(view.connection.value.error?.code).toBe('realtime_silent')
    await seeded.complete('sum')
    expect(view.connection.value).toMatchObject({ status: 'closed', error: null })
    wrapper.unmount()
  })
})

describe('a private run', () => {
  it('that was refused is read when its user signs in, and leaves with them', async () => {
    const pgflow = createTestPgflow({ flows, private: true, user: 'bob', onError: () => {} })
    const { id } = pgflow.seedRun('report', {}, { user: 'anna' })
    const { result: view, wrapper } = mountIn(pgflow, () => useRun(id))
    await pgflow.settled()
    expect(view.connection.value).toMatchObject({
      status: 'closed',
      error: { code: 'run_not_found' },
    })
    await pgflow.signIn('anna')
    expect(view.run.value?.run_id).toBe(id)
    expect(view.connection.value).toMatchObject({ status: 'live', error: null })
    await pgflow.signIn('bob')
    expect(view.run.value).toBeNull()
    expect(view.connection.value.error?.code).toBe('run_not_found')
    wrapper.unmount()
  })
})

describe('a refusal of what was shown', () => {
  it('may pass for 30 s, and is requested once a minute from then on', async () => {
    const pgflow = createTestPgflow({ flows, onError: () => {} })
    const { id } = pgflow.seedRun('report', {})
    const { result: view, wrapper } = mountIn(pgflow, () => useRun(id))
    await pgflow.settled()
    for (let count = 0; count < 100; count += 1) pgflow.faults.failRequest('unauthorized', 'read')
    await view.refresh().catch(() => undefined)
    await pgflow.advance(28_000)
    expect(view.run.value?.run_id).toBe(id)
    expect(view.connection.value).toMatchObject({
      status: 'offline',
      error: { code: 'unauthorized' },
    })
    await pgflow.advance(3_000)
    expect(view.run.value?.run_id).toBe(id)
    expect(view.connection.value).toMatchObject({
      status: 'closed',
      error: { code: 'unauthorized' },
    })
    await pgflow.faults.clear()
    await pgflow.advance(60_000)
    expect(view.connection.value).toMatchObject({ status: 'live', error: null })
    wrapper.unmount()
  })
})
