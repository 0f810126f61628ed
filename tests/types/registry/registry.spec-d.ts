import { createClient } from '@supabase/supabase-js'
import {
  createPgflow,
  type FlowInput,
  type FlowOf,
  type FlowOutput,
  flowSchemas,
  type FlowSlug,
  type PgflowStep,
  type RunOf,
  type RunSummary,
  useFlow,
  usePgflowListStore,
  usePgflowStore,
  useRun,
  useRuns,
  useStep,
} from 'pinia-pgflow'
import * as v from 'valibot'
import { describe, expectTypeOf, it } from 'vitest'
import { ref } from 'vue'
import type { AnalyzeText } from '../support/prelude.ts'
// The registration itself: the example that the documentation of `PgflowFlows` gives.
import './examples.ts'

type Flow = typeof AnalyzeText
interface Summary {
  count: number
}

describe('a flow that is registered', () => {
  it('is found by its slug', () => {
    expectTypeOf<FlowSlug>().toEqualTypeOf<'analyze_text'>()
    expectTypeOf<FlowOf<'analyze_text'>>().toEqualTypeOf<Flow>()
    expectTypeOf<FlowInput<FlowOf<'analyze_text'>>>().toEqualTypeOf<{ text: string }>()
    expectTypeOf<FlowOutput<FlowOf<'analyze_text'>>>().toEqualTypeOf<{ summary: Summary }>()
  })

  it('types useFlow without generics', () => {
    const { start, startAsync, run, step, steps } = useFlow('analyze_text')
    expectTypeOf(start).parameter(0).toEqualTypeOf<{ text: string }>()
    expectTypeOf(start({ text: '' })).resolves.toEqualTypeOf<RunOf<Flow> | undefined>()
    expectTypeOf(startAsync({ text: '' })).resolves.toEqualTypeOf<RunOf<Flow>>()
    expectTypeOf(run.value).toEqualTypeOf<RunOf<Flow> | null>()
    expectTypeOf(run.value?.output).toEqualTypeOf<{ summary: Summary } | null | undefined>()
    expectTypeOf(step('lengths')).toEqualTypeOf<PgflowStep<number[], 'lengths'> | null>()
    for (const each of steps.value) {
      expectTypeOf(each.step_slug).toEqualTypeOf<'words' | 'lengths' | 'summary'>()
      if (each.step_slug === 'words') expectTypeOf(each.output).toEqualTypeOf<string[] | null>()
    }
    // @ts-expect-error the slug is misspelt
    useFlow('analyse_text')
    // @ts-expect-error a slug that only the program knows may be any
    useFlow('analyze_text' as string)
    // @ts-expect-error the input has no text
    void start({})
    // @ts-expect-error the text is not a text
    void start({ text: 1 })
    // @ts-expect-error more than the flow takes
    void start({ text: '', language: 'en' })
    // @ts-expect-error there is no such step
    step('letters')
  })

  it('types the start of the store', () => {
    const store = usePgflowStore()
    expectTypeOf(store.startFlow('analyze_text', { text: '' })).resolves.toEqualTypeOf<
      RunOf<Flow>
    >()
    // @ts-expect-error the slug is misspelt
    void store.startFlow('analyse_text', { text: '' })
    // @ts-expect-error the input is not of that type
    void store.startFlow('analyze_text', { txt: '' })
    // @ts-expect-error the input is missing
    void store.startFlow('analyze_text')
  })
})

describe('a list of runs', () => {
  it('is of a registered flow, or of all', () => {
    expectTypeOf(useRuns({ flow: 'analyze_text' }).runs.value).toEqualTypeOf<RunSummary[]>()
    useRuns()
    useRuns(() => ({ flow: null, status: 'started' }))
    useRuns(ref({ flow: 'analyze_text' as const, pageSize: 50 }))
    // @ts-expect-error the slug is misspelt
    useRuns({ flow: 'analyse_text' })
    // @ts-expect-error the slug is misspelt
    useRuns(() => ({ flow: 'analyse_text' }))
    const store = usePgflowStore()
    const lists = usePgflowListStore()
    lists.observeRuns({ flow: 'analyze_text' }).release()
    void lists.fetchRuns({ flow: 'analyze_text', pageSize: 5 })
    void store.fetchFlow('analyze_text')
    // @ts-expect-error the slug is misspelt
    lists.observeRuns({ flow: 'analyse_text' })
    // @ts-expect-error the slug is misspelt
    void lists.fetchRuns({ flow: 'analyse_text' })
    // @ts-expect-error the slug is misspelt
    void store.fetchFlow('analyse_text')
  })

  it('is of a flow that is not registered, given by its type', () => {
    useRuns<Flow>({ flow: 'analyze_text_v2' })
    void usePgflowListStore().fetchRuns<Flow>({ flow: 'analyze_text_v2' })
    void usePgflowStore().fetchFlow<Flow>('analyze_text_v2')
  })
})

describe('a flow that is not registered beside one that is', () => {
  it('is given by its type', () => {
    expectTypeOf(useFlow<Flow>('analyze_text_v2').start).parameter(0).toEqualTypeOf<{
      text: string
    }>()
    void usePgflowStore().startFlow<Flow>('analyze_text_v2', { text: '' })
  })
})

describe('a run, whose id tells nothing of its flow', () => {
  it('is typed by the flow that is given', () => {
    expectTypeOf(useRun<Flow>('id').step('summary')?.output).toEqualTypeOf<
      Summary | null | undefined
    >()
    expectTypeOf(useRun<FlowOf<'analyze_text'>>('id').run.value?.input.text).toEqualTypeOf<
      string | undefined
    >()
    // @ts-expect-error there is no such step
    useRun<Flow>('id').step('letters')
  })

  it('and so is a step of it', () => {
    const { step } = useStep<Flow, 'summary'>(ref('id'), () => 'summary' as const)
    expectTypeOf(step.value).toEqualTypeOf<PgflowStep<Summary, 'summary'> | null>()
    // @ts-expect-error there is no such step
    useStep<Flow, 'letters'>('id', 'letters')
    // @ts-expect-error another step than the one that was said
    useStep<Flow, 'summary'>('id', 'words')
    expectTypeOf(useStep<Flow>('id', 'words').step.value?.step_slug).toEqualTypeOf<
      'words' | 'lengths' | 'summary' | undefined
    >()
  })

  it('and so is what is waited for', () => {
    const store = usePgflowStore()
    expectTypeOf(store.waitForRun<Flow>('id')).resolves.toEqualTypeOf<RunOf<Flow>>()
    void store.waitForRun('id', { timeout: 1_000, signal: new AbortController().signal })
    // @ts-expect-error a time is a number of milliseconds
    void store.waitForRun('id', { timeout: '1s' })
  })
})

describe('schemas of registered flows', () => {
  const supabase = createClient('http://localhost', 'key')
  const input = v.object({ text: v.string() })

  it('are for flows and steps that exist, and make what the flow takes', () => {
    const analyze_text = { input, steps: { words: v.any() } }
    createPgflow({ supabase, flows: flowSchemas({ analyze_text }) })
    // @ts-expect-error there is no such flow
    flowSchemas({ analyse_text: { input } })
    // @ts-expect-error there is no such step
    flowSchemas({ analyze_text: { steps: { letters: v.any() } } })
    const other = v.object({ text: v.number() })
    // @ts-expect-error the flow takes a text
    flowSchemas({ analyze_text: { input: other } })
  })
})
