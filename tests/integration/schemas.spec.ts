import { Flow } from '@pgflow/dsl'
import { flowSchemas, PgflowError, useFlow, usePgflowStore, useRun, useStep } from 'pinia-pgflow'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { mountApp } from '../support/app.ts'
import { until } from '../support/backend.ts'
import { useBackend } from '../support/fixture.ts'

const Greet = new Flow<{ name: string; times?: number }>({ slug: 'greet' })
  .step({ slug: 'hello' }, ({ run }) => `Hello ${run.name}`.repeat(run.times ?? 1))
  .step({ slug: 'length', dependsOn: ['hello'] }, ({ hello }) => hello.length)

const fixture = useBackend([Greet], { isRecorded: true })

const input = v.object({
  name: v.pipe(v.string(), v.minLength(1, 'A name is needed.')),
  times: v.optional(v.number(), 2),
})

const failureOf = (work: Promise<unknown>) => work.catch((error: unknown) => error)

describe('an input', () => {
  it('that is not what its schema describes is refused before anything is sent', async () => {
    const {
      result: flow,
      store,
      wrapper,
    } = mountApp(fixture.supabase, () => useFlow('greet'), {
      flows: flowSchemas({ greet: { input } }),
    })
    const error = await failureOf(flow.startAsync({ name: '' }))
    expect(error).toMatchObject({
      code: 'invalid_input',
      message: 'The input of greet is not valid: name: A name is needed.',
    })
    expect(flow.error.value).toBe(error)
    expect(flow.isPending.value).toBe(false)
    expect(store.runs).toEqual({})
    expect(fixture.recording.calls).toEqual([])
    expect(fixture.supabase.getChannels()).toEqual([])
    wrapper.unmount()
  })

  it('goes to the flow as the schema makes it, and the run is in the store at once', async () => {
    const { result: flow, wrapper } = mountApp(fixture.supabase, () => useFlow('greet'), {
      flows: flowSchemas({ greet: { input } }),
    })
    const started = flow.startAsync({ name: 'Ada' })
    expect(flow.run.value?.input).toEqual({ name: 'Ada', times: 2 })
    await started
    await until(() => flow.status.value === 'completed')
    expect(flow.step('hello')?.output).toBe('Hello AdaHello Ada')
    wrapper.unmount()
  })

  it('may be checked by a schema that takes its time', async () => {
    const slow = v.pipeAsync(
      input,
      v.checkAsync(({ name }) => Promise.resolve(name !== 'Eve'), 'Not you.'),
    )
    const {
      result: flow,
      store,
      wrapper,
    } = mountApp(fixture.supabase, () => useFlow('greet'), {
      flows: flowSchemas({ greet: { input: slow } }),
    })
    expect(await failureOf(flow.startAsync({ name: 'Eve' }))).toMatchObject({
      code: 'invalid_input',
      message: 'The input of greet is not valid: Not you.',
    })
    expect(store.runs).toEqual({})
    await flow.startAsync({ name: 'Ada' })
    await until(() => flow.status.value === 'completed')
    wrapper.unmount()
  })
})

describe('an output', () => {
  const flows = flowSchemas({
    greet: {
      output: v.object({ length: v.string('The length is a text.') }),
      steps: { hello: v.number('No number.'), length: v.number() },
    },
  })

  it('that does not match its schema is shown, reported, and marked as invalid', async () => {
    const { result, reported, wrapper } = mountApp(
      fixture.supabase,
      () => {
        const flow = useFlow('greet')
        return {
          flow,
          view: useRun(flow.runId),
          hello: useStep(flow.runId, 'hello'),
          length: useStep(flow.runId, 'length'),
        }
      },
      { flows },
    )
    const { flow, view, hello, length } = result
    await flow.startAsync({ name: 'Ada' })
    await until(() => view.connection.value.status === 'closed')
    expect(hello.step.value?.output).toBe('Hello Ada')
    expect(hello.error.value).toMatchObject({ code: 'invalid_output' })
    expect(length.error.value).toBeNull()
    expect(view.run.value).toMatchObject({ status: 'completed', output: { length: 9 } })
    expect(view.error.value).toMatchObject({
      code: 'invalid_output',
      message: 'The output of greet is not valid: length: string',
    })
    expect(flow.error.value).toBeNull()
    expect(reported.map(({ code, runId }) => [code, runId])).toEqual([
      ['invalid_output', flow.runId.value],
      ['invalid_output', flow.runId.value],
    ])
    wrapper.unmount()
  })

  it('is checked again for a run that is read later, and a waiting caller receives the error', async () => {
    const { store, wrapper } = mountApp(fixture.supabase, () => usePgflowStore(), { flows })
    const { run_id } = await store.startFlow('greet', { name: 'Ada' })
    expect(await failureOf(store.waitForRun(run_id))).toMatchObject({
      code: 'invalid_output',
      runId: run_id,
    })
    store.removeRun(run_id)
    expect(store.outputErrors).toEqual({})
    await store.refreshRun(run_id)
    expect(Object.keys(store.outputErrors).sort()).toEqual([run_id, `${run_id}/hello`])
    wrapper.unmount()
  })

  it('may be checked by a schema that takes its time, or that throws', async () => {
    const {
      result: flow,
      store,
      wrapper,
    } = mountApp(fixture.supabase, () => useFlow('greet'), {
      flows: flowSchemas({
        greet: {
          output: v.pipeAsync(
            v.any(),
            v.checkAsync(() => Promise.resolve(false), 'No.'),
          ),
          steps: {
            hello: {
              '~standard': {
                version: 1,
                vendor: 'broken',
                validate: () => {
                  throw new Error('a bug')
                },
              },
            },
          },
        },
      }),
    })
    const { run_id } = await flow.startAsync({ name: 'Ada' })
    const error = await failureOf(store.waitForRun(run_id))
    expect(error).toBeInstanceOf(PgflowError)
    expect(error).toMatchObject({ code: 'invalid_output' })
    await until(() => store.outputErrors[run_id] !== undefined)
    expect(store.outputErrors[`${run_id}/hello`]?.message).toBe(
      'The output of step hello of greet could not be checked: Error',
    )
    wrapper.unmount()
  })
})
