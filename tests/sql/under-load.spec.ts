import { afterEach, describe, expect, it } from 'vitest'
import { nativePort } from './support/database.ts'
import { createFlow } from './support/flows.ts'
import { firstEdition, install, uninstall } from './support/migration.ts'
import { openNative, type NativeDatabase } from './support/native/session.ts'
import { employ, type Workforce } from './support/native/workforce.ts'

const times = 12

// PGlite has one session: nobody could work meanwhile.
describe.runIf(nativePort)('while six workers run flows', () => {
  let db: NativeDatabase
  let workforce: Workforce
  afterEach(() => db.close())

  async function open(level: 'pgflow' | 'full'): Promise<void> {
    db = await openNative(nativePort ?? 0, level)
    const flow = await createFlow(db, [
      { slug: 'first' },
      ...['a', 'b', 'c', 'd'].map((slug) => ({ slug, after: ['first'] })),
      { slug: 'second', after: ['a', 'b'] },
      { slug: 'third', after: ['c', 'd'] },
      { slug: 'fourth', after: ['second', 'third'] },
      { slug: 'last', after: ['fourth'] },
    ])
    workforce = await employ(db, flow, 6)
    await workforce.progress(30)
  }

  /** Runs each script in turn, `times` times, with workers in the middle of their work. */
  async function runUnderLoad(...scripts: string[]): Promise<void> {
    const operator = await db.connect()
    for (let turn = 0; turn < times; turn += 1) {
      for (const script of scripts) {
        await operator.exec(`begin; ${script}; commit`)
        await workforce.progress(20)
      }
    }
    await operator.close()
  }

  /** The events that this layer sent: those with a seq. */
  async function sentOf(runId: string) {
    return db.query<{ seq: number; event: string }>(
      `select (payload ->> 'seq')::float8 as seq, event from realtime.messages
       where topic = 'pgflow:run:' || $1 and payload ? 'seq' order by 1`,
      [runId],
    )
  }

  /** Everybody went on, and no run has an event twice. */
  async function checkWorkers(isGapless: boolean): Promise<void> {
    await workforce.stop()
    expect(workforce.failures).toEqual([])
    expect(workforce.runIds.length).toBeGreaterThan(2)
    for (const runId of workforce.runIds) {
      const sent = await sentOf(runId)
      const events = sent.map(({ event }) => event.replace(/^step:/, ''))
      expect(events, runId).toEqual([...new Set(events)])
      if (isGapless) {
        expect(sent.map(({ seq }) => seq)).toEqual(sent.map((_, index) => index + 1))
        expect(events, runId).toHaveLength(20)
      }
    }
    expect(await db.query('select * from pgflow_realtime.problems()')).toEqual([])
  }

  it('installing and uninstalling succeed, and no worker meets an error', async () => {
    await open('pgflow')
    await runUnderLoad(install, uninstall)
    await workforce.paused(() => db.exec(install))
    await checkWorkers(false)
  }, 300_000)

  it('installing again succeeds', async () => {
    await open('full')
    await runUnderLoad(install)
    await checkWorkers(true)
  }, 300_000)

  it('upgrading from the first edition succeeds, and continues with its counters', async () => {
    await open('pgflow')
    await workforce.paused(() => db.exec(firstEdition))
    await runUnderLoad(install)
    for (let turn = 1; turn < times; turn += 1) {
      await workforce.paused(async () => {
        await db.exec(uninstall)
        await db.exec(firstEdition)
      })
      await workforce.progress(20)
      await db.exec(install)
      await workforce.progress(20)
    }
    await checkWorkers(false)
  }, 300_000)

  it('taking over and giving back succeed', async () => {
    await open('full')
    await runUnderLoad('select pgflow_realtime.give_back()', 'select pgflow_realtime.take_over()')
    await checkWorkers(true)
  }, 300_000)

  it('changing settings succeeds', async () => {
    await open('full')
    await runUnderLoad(
      `select pgflow_realtime.set_step_event_prefix('step:')`,
      `select pgflow_realtime.set_visibility('private')`,
      'select pgflow_realtime.set_max_payload_bytes(5000)',
      `select pgflow_realtime.set_step_event_prefix('')`,
      `select pgflow_realtime.set_visibility('public')`,
      'select pgflow_realtime.set_max_payload_bytes(200000)',
    )
    await checkWorkers(true)
  }, 300_000)
})
