export { createPgflow } from './plugin.ts'
export { pgflowPayload } from './ssr-payload.ts'
export { usePgflowStore, type StartOptions } from './store/pgflow-store.ts'
export { usePgflowListStore } from './store/list-store.ts'
export { useFlow, type UseFlowReturn } from './composables/use-flow.ts'
export { useRun, type UseRunReturn } from './composables/use-run.ts'
export { useRuns, type UseRunsReturn } from './composables/use-runs.ts'
export { usePgflowStatus, type PgflowStatus } from './composables/use-pgflow-status.ts'
export { useStep, type UseStepReturn } from './composables/use-step.ts'
export {
  PgflowError,
  type PgflowErrorCode,
  type PgflowErrorDetails,
  type PlainError,
} from './errors.ts'
export { isTerminal } from './model/entities.ts'
export type { WaitOptions } from './store/wait-for-run.ts'
export type { RunView } from './composables/run-view.ts'
export type { RunHooks } from './composables/run-hooks.ts'
export type { RunChangeListener } from './store/change-log.ts'
export type { RunChange } from './model/changes.ts'
export {
  flowSchemas,
  type FlowSchemas,
  type FlowSchemasBySlug,
  type FlowValidation,
} from './flow-schemas.ts'
export type { PgflowOptions } from './options.ts'
export type { ListObservation } from './sync/lists/lists.ts'
export type { RunsQuery } from './run-query.ts'
export type { RunObservation } from './sync/runs.ts'
export type { Trace, TraceKind, TraceRecord } from './sync/trace.ts'
export { durationOf, taskProgressOf, type Progress } from './model/progress.ts'
export type { Scheduler } from './model/scheduler.ts'
export type {
  ConnectionStatus,
  FlowShape,
  Json,
  ListConnection,
  PgflowRun,
  PgflowStep,
  RunConnection,
  RunList,
  RunPage,
  RunStatus,
  RunSummary,
  StepRetry,
  StepShape,
  StepStatus,
} from './model/entities.ts'
// `export *`, not by name: only then can `declare module 'pinia-pgflow'` extend the interface.
export type * from './flow-types.ts'
