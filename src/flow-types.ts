import type {
  AnyFlow as DslFlow,
  ExtractFlowInput,
  ExtractFlowOutput,
  ExtractFlowSteps,
} from '@pgflow/dsl'
import type { Json, PgflowRun, PgflowStep } from './model/entities.ts'

/** Any flow written with `@pgflow/dsl`. */
export type AnyFlow = DslFlow

/**
 * The flows of your project, by slug. Augment it once: slugs, inputs, step names and outputs are
 * then checked everywhere without generics.
 *
 * @example
 * declare module 'pinia-pgflow' {
 *   interface PgflowFlows {
 *     analyze_text: typeof AnalyzeText
 *   }
 * }
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- filled in by the user
export interface PgflowFlows {}

/** The slugs of the registered flows; any text while none is registered. */
// eslint-disable-next-line @typescript-eslint/no-redundant-type-constituents -- never until filled in
export type FlowSlug = [keyof PgflowFlows] extends [never] ? string : keyof PgflowFlows & string

/** The flow of a slug: the registered one, or any flow. */
export type FlowOf<Slug extends string> = Slug extends keyof PgflowFlows
  ? [PgflowFlows[Slug]] extends [DslFlow]
    ? PgflowFlows[Slug]
    : never
  : AnyFlow

/**
 * Any slug when a call names its flow (`useFlow<typeof AnalyzeText>(…)`), none when it does not:
 * the registered flows then decide. An overload for any text would match first.
 */
export type UnlessRegistered<Flow extends AnyFlow> = [Flow] extends [never] ? never : string

type IsAny<T> = 0 extends 1 & T ? true : false

/**
 * Whether a type is `any`, as types from a package that is not installed are. In a tuple: a
 * conditional type on `any` itself is not evaluated, and everything that depends on it is `any`
 * too.
 */
type TakesAll<T> = [unknown] extends [T] ? true : false

declare const stepSlugs: unique symbol

/** Carries the slugs of a flow's steps where there is no other type to infer them from. */
interface WithSlugs<Slugs extends string> {
  readonly [stepSlugs]: Slugs
}

/**
 * A flow of which only the slugs of its steps are known, as `npx pinia-pgflow types` writes it for
 * projects whose flows are not written with `@pgflow/dsl`: `FlowWithSteps<'read' | 'store'>`.
 * Inputs and outputs are any JSON.
 */
export type FlowWithSteps<Slugs extends string> =
  // Without @pgflow/dsl its types are `any`, and so would be an intersection with them.
  TakesAll<DslFlow> extends true ? WithSlugs<Slugs> : DslFlow & WithSlugs<Slugs>

type KnownSlugs<Flow> =
  TakesAll<Flow> extends true ? never : Flow extends WithSlugs<infer Slugs> ? Slugs : never

/** The input of a flow. */
export type FlowInput<Flow extends AnyFlow> =
  IsAny<ExtractFlowInput<Flow>> extends true ? Json : ExtractFlowInput<Flow>

/** The output of a flow: the outputs of its last steps, by slug. */
export type FlowOutput<Flow extends AnyFlow> =
  IsAny<ExtractFlowInput<Flow>> extends true ? Json : ExtractFlowOutput<Flow>

/** The slugs of a flow's steps. */
export type StepSlug<Flow extends AnyFlow> = [KnownSlugs<Flow>] extends [never]
  ? IsAny<ExtractFlowInput<Flow>> extends true
    ? string
    : keyof ExtractFlowSteps<Flow> & string
  : KnownSlugs<Flow>

/** The output of a step of a flow. */
export type StepOutput<Flow extends AnyFlow, Slug extends string> =
  IsAny<ExtractFlowInput<Flow>> extends true
    ? Json
    : Slug extends keyof ExtractFlowSteps<Flow>
      ? ExtractFlowSteps<Flow>[Slug]
      : never

/** A run of a flow. */
export type RunOf<Flow extends AnyFlow> = PgflowRun<FlowInput<Flow>, FlowOutput<Flow>>

/** A step of a flow; with several slugs, a union that `step_slug` tells apart. */
export type StepOf<Flow extends AnyFlow, Slug extends string = StepSlug<Flow>> = Slug extends string
  ? PgflowStep<StepOutput<Flow, Slug>, Slug>
  : never
