import { PgflowError } from '../errors.ts'
import type { AnyFlow, StepOutput, StepSlug } from '../flow-types.ts'
import type { FlowShape, Json } from '../model/entities.ts'

/** JSON, written down once and for all or not. */
export type JsonLike =
  string | number | boolean | null | readonly JsonLike[] | { readonly [key: string]: JsonLike }

// A method may be given a function with a narrower parameter; a property of a function type may
// not.
type ScriptFunction<Input> = { call(input: Input, index: number): JsonLike }['call']

/** Options of any step of a flow in a test. */
interface TestStepOptions {
  /** The slugs of the steps whose outputs it takes; none for a step that starts with the run. */
  deps?: readonly string[]
  /** When played, it fails with this message, and so does the run. */
  error?: string
  /**
   * Attempts that fail before it completes, or before it fails for good; each sends `retrying`. For
   * a map step, those of its first task.
   * @default 0
   */
  attempts?: number
}

/** A step that runs once, on the outputs of the steps before it. */
export interface TestSingleStep extends TestStepOptions {
  type?: 'single'
  /**
   * Its output when it is played: a value, or a function of the input of a handler, which is the
   * outputs of its `deps` by slug and the run's input as `run`.
   * @default null; an array of `tasks` numbers if a map step takes it
   */
  output?: JsonLike | ScriptFunction<Record<string, Json>>
}

/** A step that runs once for each element of an array: of its one dependency, or of the input. */
export interface TestMapStep extends TestStepOptions {
  type: 'map'
  /**
   * The outputs of its tasks when they are played: an array with one element for each, or a
   * function of the element of a task and its index.
   * @default null for each
   */
  output?: readonly JsonLike[] | ScriptFunction<Json>
  /**
   * How many tasks it has when the step it maps over is played and has no `output` of its own.
   * @default 1
   */
  tasks?: number
}

/** A step of a flow in a test. */
export type TestStep = TestSingleStep | TestMapStep

/** A flow in a test: its steps by slug. */
export type TestFlow = Record<string, TestStep>

/** A step's part of the script of a dsl flow. */
export interface StepScript<Output = Json> {
  /**
   * Its output; for a map step, those of all its tasks, or a function of a task's element and
   * index.
   */
  output?: Output | ScriptFunction<Json>
  /** When played, it fails with this message, and so does the run. */
  error?: string
  /** Attempts that fail first; each sends `retrying`. */
  attempts?: number
  /** For a map step: how many tasks it has if the step that it maps over has no `output`. */
  tasks?: number
}

/** The script of a dsl flow. */
export type FlowScript<Flow extends AnyFlow> = {
  [Slug in StepSlug<Flow>]?: StepScript<StepOutput<Flow, Slug>>
}

/** A step with everything decided. */
export interface StepDefinition {
  slug: string
  deps: readonly string[]
  isMap: boolean
  output: unknown
  error: string | undefined
  attempts: number
  tasks: number
}

/** A flow with everything decided: its steps in an order in which each follows its dependencies. */
export interface FlowDefinition {
  slug: string
  steps: readonly StepDefinition[]
}

/**
 * The flow of `@pgflow/dsl` as a flow for tests, with a script of the outputs of its steps. Its
 * handlers do not run.
 *
 * @example
 * const pgflow = createTestPgflow({
 *   flows: { analyze_text: scriptFlow(AnalyzeText, { words: { output: ['a', 'b'] } }) },
 * })
 */
export function scriptFlow<Flow extends AnyFlow>(
  flow: Flow,
  script: FlowScript<Flow> = {},
): TestFlow {
  const scripts = new Map<string, StepScript<unknown> | undefined>(Object.entries(script))
  const steps = flow.stepOrder.map((slug): [string, TestStep] => {
    const { dependencies, stepType } = shapeOf(flow, slug)
    // A step's output is JSON: pgflow takes nothing else.
    const step = { ...scripts.get(slug), deps: dependencies, type: stepType ?? 'single' }
    return [slug, step as TestStep]
  })
  return Object.fromEntries(steps)
}

/** One step of a dsl flow. */
function shapeOf(flow: AnyFlow, slug: string): { dependencies: string[]; stepType?: string } {
  return flow.getStepDefinition(slug)
}

/** Whether a definition is a flow of `@pgflow/dsl`. */
function isDslFlow(flow: TestFlow | AnyFlow): flow is AnyFlow {
  return typeof flow.getStepDefinition === 'function'
}

/**
 * Fills in the defaults of a definition.
 * @throws PgflowError `invalid_options` for a flow that pgflow would not take.
 */
export function defineFlow(slug: string, flow: TestFlow | AnyFlow): FlowDefinition {
  if (isDslFlow(flow) && flow.slug !== slug) {
    throw wrong(slug, `the flow given for it has the slug "${flow.slug}"`)
  }
  const steps = Object.entries(isDslFlow(flow) ? scriptFlow(flow) : flow)
  const known = new Set(steps.map(([name]) => name))
  const defined = steps.map(([name, step]) => defineStep(slug, name, step, known))
  return { slug, steps: inOrder(slug, defined) }
}

/** The shape as `get_flow` returns it. */
export function shapeOfFlow({ slug, steps }: FlowDefinition): FlowShape {
  return {
    flow_slug: slug,
    steps: steps.map((step) => ({
      step_slug: step.slug,
      step_type: step.isMap ? 'map' : 'single',
      deps: [...step.deps].sort(),
    })),
  }
}

function defineStep(
  flow: string,
  slug: string,
  step: TestStep,
  known: ReadonlySet<string>,
): StepDefinition {
  const deps = step.deps ?? []
  if (!/^[a-z_]\w*$/i.test(slug) || slug === 'run') throw wrong(flow, `"${slug}" is no step's slug`)
  const unknown = deps.find((dep) => !known.has(dep))
  if (unknown !== undefined) throw wrong(flow, `"${slug}" depends on "${unknown}", which it lacks`)
  if (step.type === 'map' && deps.length > 1) {
    throw wrong(flow, `the map step "${slug}" has ${deps.length} dependencies and may have one`)
  }
  return {
    slug,
    deps,
    isMap: step.type === 'map',
    output: step.output,
    error: step.error,
    attempts: step.attempts ?? 0,
    tasks: step.type === 'map' ? (step.tasks ?? 1) : 1,
  }
}

/** Each step after those it depends on, and otherwise as they were given. */
function inOrder(flow: string, steps: readonly StepDefinition[]): StepDefinition[] {
  const ordered: StepDefinition[] = []
  const placed = new Set<string>()
  let left = [...steps]
  while (left.length > 0) {
    const next = left.find(({ deps }) => deps.every((dep) => placed.has(dep)))
    if (!next) throw wrong(flow, `${left.map(({ slug }) => slug).join(', ')} wait for each other`)
    placed.add(next.slug)
    ordered.push(next)
    left = left.filter((step) => step !== next)
  }
  return ordered
}

function wrong(flow: string, reason: string): PgflowError {
  return new PgflowError('invalid_options', `The flow "${flow}" is not possible: ${reason}.`)
}
