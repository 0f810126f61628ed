import { Flow } from '@pgflow/dsl'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createBackend, type Backend } from '../../playground/backend/index.ts'
import { createGate } from '../support/backend.ts'

interface RunRow {
  status: string
  output: unknown
  steps: Record<string, { status: string; output: unknown; error: string | null }>
  tasks: { step_slug: string; status: string; attempts_count: number }[]
}

/** Flows run by their own handlers, through pgflow's own protocol. */
describe('the embedded worker', () => {
  let backend: Backend

  beforeAll(async () => {
    backend = await createBackend({
      worker: { maxConcurrent: 4, env: { GREETING: 'hello' }, resources: { clock: 'stopped' } },
    })
  })
  afterAll(() => backend.close())

  async function start(flow: { slug: string }, input: unknown): Promise<string> {
    const [run] = await backend.db.query<{ run_id: string }>(
      'select run_id from pgflow.start_flow($1, $2::text::jsonb)',
      [flow.slug, JSON.stringify(input)],
    )
    return run?.run_id ?? ''
  }

  async function read(id: string): Promise<RunRow> {
    const [row] = await backend.db.query<RunRow>(
      `select r.status, r.output,
              (select jsonb_object_agg(s.step_slug, jsonb_build_object(
                  'status', s.status, 'error', s.error_message, 'output',
                  (select jsonb_agg(t.output order by t.task_index) from pgflow.step_tasks t
                    where (t.run_id, t.step_slug) = (s.run_id, s.step_slug))))
                 from pgflow.step_states s where s.run_id = r.run_id) as steps,
              (select jsonb_agg(to_jsonb(t) order by t.step_slug, t.task_index)
                 from pgflow.step_tasks t where t.run_id = r.run_id) as tasks
         from pgflow.runs r where r.run_id = $1`,
      [id],
    )
    if (!row) throw new Error(`no run ${id}`)
    return row
  }

  async function finish(id: string): Promise<RunRow> {
    await expect.poll(async () => (await read(id)).status, { timeout: 20_000 }).not.toBe('started')
    return read(id)
  }

  const run = async (flow: Parameters<Backend['worker']['register']>[0], input: unknown) => {
    await backend.worker.register(flow, [])
    return finish(await start(flow, input))
  }

  it('runs parallel steps side by side and hands outputs on', async () => {
    const gates = { left: createGate(), right: createGate() }
    const meet = async (mine: keyof typeof gates, other: keyof typeof gates) => {
      gates[mine].open()
      await gates[other].wait()
      return mine
    }
    const flow = new Flow<{ n: number }>({ slug: 'diamond' })
      .step({ slug: 'first' }, ({ run }) => ({ n: run.n + 1 }))
      .step({ slug: 'left', dependsOn: ['first'] }, () => meet('left', 'right'))
      .step({ slug: 'right', dependsOn: ['first'] }, () => meet('right', 'left'))
      .step({ slug: 'last', dependsOn: ['left', 'right'] }, ({ run, left, right }) => [
        run.n,
        left,
        right,
      ])
    expect(await run(flow, { n: 1 })).toMatchObject({
      status: 'completed',
      output: { last: [1, 'left', 'right'] },
    })
  })

  it('maps over more elements than may run at once, in order', async () => {
    let running = 0
    let most = 0
    const flow = new Flow<{ count: number }>({ slug: 'mapped' })
      .array({ slug: 'numbers' }, ({ run }) => Array.from({ length: run.count }, (_, i) => i))
      .map({ slug: 'squares', array: 'numbers' }, async (n) => {
        running += 1
        most = Math.max(most, running)
        await new Promise((resolve) => setImmediate(resolve))
        running -= 1
        return n * n
      })
      .step({ slug: 'sum', dependsOn: ['squares'] }, ({ squares }) =>
        squares.reduce((total, n) => total + n, 0),
      )
    const done = await run(flow, { count: 30 })
    expect(done.output).toEqual({ sum: 8555 })
    expect(done.steps.squares?.output).toEqual(Array.from({ length: 30 }, (_, i) => i * i))
    expect(most).toBeGreaterThan(1)
    expect(most).toBeLessThanOrEqual(4)
  })

  it('takes a map over nothing in its stride', async () => {
    const flow = new Flow<number[]>({ slug: 'empty_map' }).map({ slug: 'each' }, (n) => n)
    expect(await run(flow, [])).toMatchObject({ status: 'completed', output: { each: [] } })
  })

  it('tries again, after the delay that pgflow sets, until the step recovers', async () => {
    let attempts = 0
    const flow = new Flow<null>({ slug: 'recovers', baseDelay: 1, maxAttempts: 3 }).step(
      { slug: 'flaky' },
      () => {
        attempts += 1
        if (attempts < 2) throw new Error(`attempt ${attempts} failed`)
        return attempts
      },
    )
    const done = await run(flow, null)
    expect(done).toMatchObject({ status: 'completed', output: { flaky: 2 } })
    expect(done.tasks).toMatchObject([{ attempts_count: 2, status: 'completed' }])
  })

  it.each([
    ['an error', new Error('no luck'), 'no luck'],
    ['an error without words', new TypeError(), 'TypeError'],
    ['text', 'just text', 'just text'],
    ['an object', { code: 7 }, '{"code":7}'],
    ['nothing at all', undefined, 'undefined'],
    ['what Postgres cannot store', 'a\u0000b', 'ab'],
  ])('fails a step that throws %s, with what it threw', async (_name, thrown, message) => {
    const slug = `fails_${crypto.randomUUID().slice(0, 8)}`
    const flow = new Flow<null>({ slug, maxAttempts: 1 })
      .step({ slug: 'bad' }, (): null => {
        // eslint-disable-next-line @typescript-eslint/only-throw-error -- that is the case tested
        throw thrown
      })
      .step({ slug: 'never', dependsOn: ['bad'] }, () => null)
    const done = await run(flow, null)
    expect(done.status).toBe('failed')
    expect(done.steps.bad).toMatchObject({ status: 'failed', error: message })
    expect(done.steps.never?.status).toBe('created')
  })

  it('fails a step for good after its last attempt', async () => {
    const flow = new Flow<null>({ slug: 'hopeless', baseDelay: 1, maxAttempts: 2 }).step(
      { slug: 'bad' },
      () => Promise.reject(new Error('still no luck')),
    )
    const done = await run(flow, null)
    expect(done.steps.bad).toMatchObject({ status: 'failed', error: 'still no luck' })
    expect(done.tasks).toMatchObject([{ attempts_count: 2, status: 'failed' }])
  })

  it.each([
    ['nothing', undefined, null],
    ['null', null, null],
    ['false', false, false],
    ['zero', 0, 0],
    ['empty text', '', ''],
    ['text that looks like a number', '42', '42'],
  ])('stores an output of %s as it is', async (_name, output, stored) => {
    const slug = `outputs_${crypto.randomUUID().slice(0, 8)}`
    const flow = new Flow<null>({ slug }).step({ slug: 'one' }, () => output)
    expect((await run(flow, null)).output).toEqual({ one: stored })
  })

  it('fails a step whose output cannot be stored, rather than hang', async () => {
    const circular: Record<string, unknown> = {}
    circular.self = circular
    for (const [slug, output] of Object.entries({
      circular_output: circular,
      nul_output: 'a\u0000',
    })) {
      const flow = new Flow<null>({ slug, maxAttempts: 1 }).step({ slug: 'bad' }, () => output)
      const done = await run(flow, null)
      expect(done.steps.bad?.status).toBe('failed')
      expect(done.steps.bad?.error).toMatch(/circular|unsupported Unicode/)
    }
  })

  it('starts a delayed step when its time has come', async () => {
    const flow = new Flow<null>({ slug: 'delayed' }).step({ slug: 'later', startDelay: 1 }, () => 1)
    expect(await run(flow, null)).toMatchObject({ status: 'completed', output: { later: 1 } })
  })

  it('fails a step that takes longer than its timeout', async () => {
    const flow = new Flow<null>({ slug: 'slow', timeout: 3, maxAttempts: 1 }).step(
      { slug: 'forever' },
      () => new Promise<null>(() => undefined),
    )
    const done = await run(flow, null)
    expect(done.steps.forever?.error).toBe('Step "forever" timed out after 3 seconds')
  })

  it('gives handlers the context they get from pgflow', async () => {
    const flow = new Flow<{ a: number }>({ slug: 'context' }).step(
      { slug: 'show' },
      (_in, context) => ({
        ...context,
        shutdownSignal: context.shutdownSignal.aborted,
      }),
    )
    await backend.worker.register(flow, [])
    const id = await start(flow, { a: 1 })
    const { output } = await finish(id)
    expect(output).toMatchObject({
      show: {
        env: { GREETING: 'hello' },
        clock: 'stopped',
        shutdownSignal: false,
        workerConfig: { maxConcurrent: 4, batchSize: 10, visibilityTimeout: 2 },
        rawMessage: {
          read_ct: 1,
          message: { flow_slug: 'context', run_id: id, step_slug: 'show' },
        },
        stepTask: { flow_slug: 'context', run_id: id, step_slug: 'show', input: { run: { a: 1 } } },
      },
    })
  })

  it('takes nothing new while paused', async () => {
    const flow = new Flow<null>({ slug: 'paused' }).step({ slug: 'one' }, () => 1)
    await backend.worker.register(flow, [])
    backend.worker.pause()
    const id = await start(flow, null)
    const [queue] = await backend.db.query<{ n: number }>(
      'select count(*)::int as n from pgmq.q_paused where read_ct = 0',
    )
    expect(queue?.n).toBe(1)
    expect((await read(id)).tasks).toMatchObject([{ status: 'queued' }])
    backend.worker.resume()
    expect((await finish(id)).status).toBe('completed')
  })

  it('runs a flow whose slug has capitals', async () => {
    const flow = new Flow<null>({ slug: 'CamelCase' }).step({ slug: 'stepOne' }, () => 'ok')
    expect((await run(flow, null)).output).toEqual({ stepOne: 'ok' })
  })

  it('lets running handlers finish when it closes, and abandons those that do not', async () => {
    const closing = await createBackend({ worker: { shutdownGraceMs: 50 } })
    const [polite, stubborn] = [createGate(), createGate()]
    const ended: string[] = []
    const flow = new Flow<null>({ slug: 'closing' })
      .step({ slug: 'polite' }, async (_input, { shutdownSignal }) => {
        const aborted = new Promise((resolve) => shutdownSignal.addEventListener('abort', resolve))
        void polite.wait()
        await aborted
        ended.push('polite')
        return null
      })
      .step({ slug: 'stubborn' }, async () => {
        await stubborn.wait()
        throw new Error('too late for anybody to know')
      })
    await closing.worker.register(flow, [])
    await closing.db.query(`select pgflow.start_flow('closing', 'null')`)
    await Promise.all([polite.reached, stubborn.reached])
    await closing.close()
    expect(ended).toEqual(['polite'])
    stubborn.open()
  })
})
