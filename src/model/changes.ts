import type { PgflowRun, PgflowStep, RunStatus, StepRetry, StepStatus } from './entities.ts'

/**
 * Something that happened to a run while the store held it. The rows are copies, as they were when
 * all of it was written.
 */
export type RunChange =
  | { kind: 'run'; run: PgflowRun; from: RunStatus }
  | { kind: 'step'; run: PgflowRun; step: PgflowStep; from: StepStatus }
  | { kind: 'retry'; run: PgflowRun; step: PgflowStep; retry: StepRetry }
