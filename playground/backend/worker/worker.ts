import { randomUUID } from 'node:crypto'
import type { AnyFlow, WorkerConfig } from '@pgflow/dsl'
import type { Database } from '../database.ts'
import { TurnsEnded } from '../turns.ts'
import { readSteps, registerFlow, wakeChannel } from './flow.ts'
import { Queue } from './queue.ts'
import { Runner } from './runner.ts'

export interface WorkerOptions {
  /** Tasks of one flow that run at once. Default 10. */
  maxConcurrent?: number
  /** Messages taken at once. Default 10. */
  batchSize?: number
  /** What handlers get as `context.env`. Default: the process's environment. */
  env?: Record<string, string | undefined>
  /** Added to every handler's context, as a platform would. */
  resources?: Readonly<Record<string, unknown>>
  /** How long `close` waits for running handlers. Default 1000. */
  shutdownGraceMs?: number
}

/** Runs flows by their own handlers, as pgflow's worker does on Supabase. */
export interface Worker {
  readonly id: string
  /** Creates a flow, lets these roles start it and runs its tasks from now on. */
  register(flow: AnyFlow, allowStart: readonly string[]): Promise<void>
  /** Takes no new tasks until `resume`; running handlers go on. */
  pause(): void
  resume(): void
  close(): Promise<void>
}

const heartbeatMs = 5_000

export async function createWorker(db: Database, options: WorkerOptions = {}): Promise<Worker> {
  const { maxConcurrent = 10, batchSize = 10, shutdownGraceMs = 1_000 } = options
  const { env = process.env, resources = {} } = options
  const id = randomUUID()
  const runners = new Map<string, Runner>()
  const shutdown = new AbortController()
  let paused = false
  const config: WorkerConfig = {
    maxConcurrent,
    batchSize,
    maxPollSeconds: 0,
    pollIntervalMs: 100,
    visibilityTimeout: 2,
  }
  const unlisten = await db.listen(wakeChannel, (slug) => runners.get(slug)?.wake())
  const heartbeat = setInterval(() => void beat(db, id), heartbeatMs)

  return {
    id,
    async register(flow, allowStart) {
      await registerFlow(db, flow, allowStart)
      await db.query(
        `insert into pgflow.workers (worker_id, queue_name, function_name)
         values ($1, $2, 'embedded') on conflict do nothing`,
        [id, flow.slug],
      )
      const runner = new Runner({
        queue: new Queue(db, flow.slug, id),
        steps: readSteps(flow),
        config,
        env,
        resources,
        shutdownSignal: shutdown.signal,
      })
      runners.set(flow.slug, runner)
      if (paused) runner.pause()
      runner.wake()
    },
    pause() {
      paused = true
      for (const runner of runners.values()) runner.pause()
    },
    resume() {
      paused = false
      for (const runner of runners.values()) runner.resume()
    },
    async close() {
      clearInterval(heartbeat)
      // Before the signal: a handler that begins after it would wait for it in vain.
      const stopped = [...runners.values()].map((runner) => runner.stop(shutdownGraceMs))
      shutdown.abort()
      await Promise.all([unlisten(), ...stopped])
    },
  }
}

async function beat(db: Database, id: string): Promise<void> {
  try {
    await db.query('update pgflow.workers set last_heartbeat_at = now() where worker_id = $1', [id])
  } catch (error) {
    if (!(error instanceof TurnsEnded))
      console.error('The embedded worker lost its heartbeat:', error)
  }
}
