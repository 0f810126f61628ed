export { createTestPgflow } from './create-test-pgflow.ts'
export {
  scriptFlow,
  type FlowScript,
  type JsonLike,
  type StepScript,
  type TestFlow,
  type TestMapStep,
  type TestSingleStep,
  type TestStep,
} from './definition.ts'
export type { TestFaults } from './faults.ts'
export type { TestRequest } from './memory-transport.ts'
export type { MessageSelection } from './message-faults.ts'
export type { RequestKind } from './request-faults.ts'
export type { RunReplay } from './run-replay.ts'
export type { SeedOptions } from './seed.ts'
export type { TestRun } from './test-run.ts'
export type { TestPgflow, TestPgflowOptions } from './types.ts'
export type { RecordedMessage, RecordedTrace, RunRecording } from '../model/run-recording.ts'
