import type { Database } from '../database.ts'
import type { MessageRow, TaskRow } from './context.ts'

/** Long enough for the statement that follows; `start_tasks` then sets the step's own timeout. */
const readVisibilitySeconds = 2

/** A task ready to run, with the message that announced it. */
export interface StartedTask {
  task: TaskRow
  message: MessageRow
}

export interface Batch {
  started: StartedTask[]
  /** More messages may be waiting. */
  full: boolean
  /** Milliseconds until the next message becomes visible; undefined with an empty queue. */
  nextInMs: number | undefined
}

/** pgflow's worker protocol for one flow's queue, in statements that never sleep. */
export class Queue {
  readonly slug: string
  readonly #db: Database
  readonly #workerId: string

  constructor(db: Database, slug: string, workerId: string) {
    this.#db = db
    this.slug = slug
    this.#workerId = workerId
  }

  /** Takes up to `quantity` messages and marks their tasks as started. */
  read(quantity: number): Promise<Batch> {
    return this.#db.transaction(async (tx) => {
      const messages = await tx.query<MessageRow>('select * from pgmq.read($1, $2, $3)', [
        this.slug,
        readVisibilitySeconds,
        quantity,
      ])
      const byId = new Map(messages.map((message) => [message.msg_id, message]))
      const tasks = await tx.query<TaskRow>('select * from pgflow.start_tasks($1, $2, $3)', [
        this.slug,
        [...byId.keys()],
        this.#workerId,
      ])
      const [next] = await tx.query<{ ms: number | null }>(
        `select extract(epoch from min(vt) - clock_timestamp())::float8 * 1000 as ms
           from pgmq."q_${this.slug.toLowerCase()}"`,
      )
      return {
        started: tasks.flatMap((task) => {
          const message = byId.get(task.msg_id)
          return message ? [{ task, message }] : []
        }),
        full: messages.length === quantity,
        nextInMs: next?.ms ?? undefined,
      }
    })
  }

  async complete({ run_id, step_slug, task_index }: TaskRow, output: unknown): Promise<void> {
    await this.#db.query('select from pgflow.complete_task($1, $2, $3, $4::text::jsonb)', [
      run_id,
      step_slug,
      task_index,
      toJson(output),
    ])
  }

  /** pgflow decides whether the task is tried again. */
  async fail({ run_id, step_slug, task_index }: TaskRow, reason: unknown): Promise<void> {
    await this.#db.query('select from pgflow.fail_task($1, $2, $3, $4)', [
      run_id,
      step_slug,
      task_index,
      describe(reason),
    ])
  }
}

/** A handler that returns nothing has the output null, as in pgflow. */
function toJson(output: unknown): string {
  return stringify(output) ?? 'null'
}

/** Whatever a handler threw, as text that Postgres can hold. */
function describe(reason: unknown): string {
  return textOf(reason).replaceAll('\u0000', '')
}

function textOf(reason: unknown): string {
  if (reason instanceof Error) return reason.message || reason.name
  if (typeof reason === 'string') return reason
  try {
    return stringify(reason) ?? String(reason)
  } catch {
    return String(reason)
  }
}

/** Undefined for what JSON has no word for, which the built-in's type does not say. */
function stringify(value: unknown): string | undefined {
  return JSON.stringify(value)
}
