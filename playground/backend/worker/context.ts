import type { AnyFlow, FlowContext, Json } from '@pgflow/dsl'

/** A message as `pgmq.read` returns it; the driver leaves timestamps as text. */
export interface MessageRow {
  msg_id: number
  read_ct: number
  enqueued_at: string
  vt: string
  message: Json
}

/** What a handler takes first: the whole input object, or one element in a map step. */
type StepInput = Parameters<ReturnType<AnyFlow['getStepDefinition']>['handler']>[0]

/** A task as `pgflow.start_tasks` returns it. */
export interface TaskRow {
  flow_slug: string
  run_id: string
  step_slug: string
  input: StepInput
  msg_id: number
  task_index: number
}

/** The part of a handler's context that is the same for every task. */
export type SharedContext = Pick<FlowContext, 'env' | 'shutdownSignal' | 'workerConfig'>

/** Makes a handler's context; `resources` are what a platform adds to it. */
export function createContext(
  task: TaskRow,
  message: MessageRow,
  shared: SharedContext,
  resources: Readonly<Record<string, unknown>>,
): FlowContext {
  const { enqueued_at, vt, msg_id, read_ct, message: body } = message
  return {
    ...resources,
    ...shared,
    stepTask: task,
    rawMessage: {
      msg_id,
      read_ct,
      enqueued_at: new Date(enqueued_at).toISOString(),
      vt: new Date(vt).toISOString(),
      message: body,
    },
  }
}
