import { Flow } from '@pgflow/dsl'
import type { SupabaseClient } from '@supabase/supabase-js'
import { createClient } from '@supabase/supabase-js'
import {
  createPgflow,
  type FlowInput,
  type FlowOutput,
  flowSchemas,
  type Json,
  type PgflowRun,
  type PgflowStep,
  type RunConnection,
  type RunOf,
  type RunSummary,
  type StepOf,
  useFlow,
  usePgflowStore,
  useRun,
  useRuns,
} from 'pinia-pgflow'
import * as v from 'valibot'
import { describe, expectTypeOf, it } from 'vitest'
import { ref } from 'vue'

const _report = new Flow<{ text: string }>({ slug: 'report' })
  .step({ slug: 'words' }, ({ run }) => run.text.split(' '))
  .map({ slug: 'lengths', array: 'words' }, (word) => word.length)
  .step({ slug: 'sum', dependsOn: ['lengths'] }, ({ lengths }) => ({ total: lengths.length }))
type Report = typeof _report

describe('a flow given by its type', () => {
  it('types input, outputs and steps', () => {
    expectTypeOf<FlowInput<Report>>().toEqualTypeOf<{ text: string }>()
    expectTypeOf<FlowOutput<Report>>().toEqualTypeOf<{ sum: { total: number } }>()
    const flow = useFlow<Report>('report')
    expectTypeOf(flow.start).parameters.toEqualTypeOf<Parameters<typeof flow.startAsync>>()
    expectTypeOf(flow.startAsync).parameter(0).toEqualTypeOf<{ text: string }>()
    expectTypeOf(flow.start).returns.resolves.toEqualTypeOf<RunOf<Report> | undefined>()
    expectTypeOf(flow.startAsync).returns.resolves.toEqualTypeOf<RunOf<Report>>()
    expectTypeOf(flow.connection.value).toEqualTypeOf<RunConnection>()
    expectTypeOf(flow.run.value).toEqualTypeOf<RunOf<Report> | null>()
    expectTypeOf(flow.step('words')).toEqualTypeOf<PgflowStep<string[], 'words'> | null>()
    expectTypeOf(flow.step('lengths')?.output).toEqualTypeOf<number[] | null | undefined>()
    // @ts-expect-error there is no such step
    flow.step('letters')
    // @ts-expect-error the input misses its text
    void flow.start({})
    // @ts-expect-error the input is not of that type
    void flow.start({ text: 1 })
  })

  it('tells steps apart by their slug', () => {
    for (const step of useRun<Report>('id').steps.value) {
      expectTypeOf(step).toEqualTypeOf<StepOf<Report>>()
      if (step.step_slug === 'sum')
        expectTypeOf(step.output).toEqualTypeOf<{ total: number } | null>()
    }
  })

  it('types the actions of the store', () => {
    const store = usePgflowStore()
    expectTypeOf(store.startFlow<Report>('report', { text: '' })).resolves.toEqualTypeOf<
      RunOf<Report>
    >()
    // @ts-expect-error the input is not of that type
    void store.startFlow<Report>('report', { txt: '' })
  })
})

interface Declared {
  list: string[]
}
const _declared = new Flow<{ text: string }>({ slug: 'declared' }).step(
  { slug: 'words' },
  (): Declared => ({ list: [] }),
)
const _inferred = new Flow<{ text: string }>({ slug: 'inferred' }).step({ slug: 'words' }, () => {
  const words: Declared = { list: [] }
  return { ...words }
})

describe('a flow with a step whose output is an interface', () => {
  it('has no types at all: @pgflow/dsl takes only what TypeScript sees to be JSON', () => {
    expectTypeOf<FlowInput<typeof _declared>>().toBeNever()
    expectTypeOf<FlowInput<typeof _inferred>>().toEqualTypeOf<{ text: string }>()
  })
})

describe('a flow given by nothing but its slug', () => {
  it('takes and returns JSON', () => {
    const flow = useFlow('anything')
    expectTypeOf(flow.start).parameter(0).toEqualTypeOf<Json>()
    expectTypeOf(flow.run.value).toEqualTypeOf<PgflowRun | null>()
    expectTypeOf(flow.step('any')).toEqualTypeOf<PgflowStep<Json, 'any'> | null>()
    // @ts-expect-error a function is not JSON
    void flow.start(() => 1)
  })
})

describe('useRun', () => {
  it('takes a text, a ref, a getter, null or undefined', () => {
    useRun('id')
    useRun(ref<string | null>(null))
    useRun(() => undefined)
    // @ts-expect-error an id is a text
    useRun(7)
  })
})

describe('useRuns', () => {
  it('takes any slug while no flow is registered', () => {
    const { runs, loadMore } = useRuns({ flow: 'anything', status: 'failed', pageSize: 5 })
    expectTypeOf(runs.value).toEqualTypeOf<RunSummary[]>()
    expectTypeOf(loadMore).returns.resolves.toBeVoid()
    useRuns<Report>({ flow: 'report' })
    // @ts-expect-error a slug is a text
    useRuns({ flow: 7 })
    // @ts-expect-error there is no such filter
    useRuns({ slug: 'report' })
    // Large as they can be, a list has none of them.
    expectTypeOf<RunSummary>().not.toHaveProperty('output')
  })
})

/** As `supabase gen types` writes it: an interface of several schemas, and what is internal. */
interface Generated {
  __InternalSupabase: { PostgrestVersion: '13.0.4' }
  api: {
    Tables: {
      notes: {
        Row: { id: number; text: string | null }
        Insert: { id?: number; text?: string | null }
        Update: { id?: number; text?: string | null }
        Relationships: []
      }
    }
    Views: Record<string, never>
    Functions: { mine: { Args: { a: number }; Returns: string } }
    Enums: { mood: 'good' | 'bad' }
    CompositeTypes: Record<string, never>
  }
  public: {
    Tables: Record<string, never>
    Views: Record<string, never>
    Functions: Record<string, never>
    Enums: Record<string, never>
    CompositeTypes: Record<string, never>
  }
}

describe('createPgflow', () => {
  it('takes any Supabase client, typed or not', () => {
    interface Database {
      public: {
        Tables: Record<string, never>
        Views: Record<string, never>
        Functions: { mine: { Args: { a: number }; Returns: string } }
      }
    }
    createPgflow({ supabase: createClient('http://localhost', 'key') })
    createPgflow({ supabase: createClient<Database>('http://localhost', 'key') })
    expectTypeOf<SupabaseClient<Database>>().toExtend<
      Parameters<typeof createPgflow>[0]['supabase']
    >()
    const ofSchema = { db: { schema: 'api' } } as const
    createPgflow({ supabase: createClient<Generated, 'api'>('http://localhost', 'key', ofSchema) })
    createPgflow({ supabase: createClient<Generated>('http://localhost', 'key') })
    expectTypeOf<SupabaseClient<Generated, 'api'>>().toExtend<
      Parameters<typeof createPgflow>[0]['supabase']
    >()
    // @ts-expect-error something else than a client
    createPgflow({ supabase: { schema: () => null } })
    // @ts-expect-error the client is required
    createPgflow({})
  })
})

describe('schemas of flows that are not registered', () => {
  it('may make anything', () => {
    const supabase = createClient('http://localhost', 'key')
    const input = v.object({ text: v.string(), language: v.optional(v.string()) })
    const report = { input, output: v.any(), steps: { a: v.any() } }
    createPgflow({ supabase, flows: flowSchemas({ report }) })
    // @ts-expect-error a schema speaks Standard Schema
    flowSchemas({ report: { input: (value: unknown) => value } })
  })
})
