import type { PgflowRun, PgflowStep, RunStatus, StepRetry, StepStatus } from './entities.ts'

/**
 * A change of a run that the store holds. The rows are copies, made when all of the change was
 * written.
 */
export type RunChange =
  | { kind: 'run'; run: PgflowRun; from: RunStatus }
  | { kind: 'step'; run: PgflowRun; step: PgflowStep; from: StepStatus }
  | { kind: 'retry'; run: PgflowRun; step: PgflowStep; retry: StepRetry }
