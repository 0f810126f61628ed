import type { WorkerConfig } from '@pgflow/dsl'
import { createContext, type SharedContext } from './context.ts'
import type { RunnableStep } from './flow.ts'
import type { Queue, StartedTask } from './queue.ts'

export interface RunnerOptions {
  queue: Queue
  steps: ReadonlyMap<string, RunnableStep>
  config: Readonly<WorkerConfig>
  env: Record<string, string | undefined>
  resources: Readonly<Record<string, unknown>>
  shutdownSignal: AbortSignal
}

/** Runs the tasks of one flow: reads when there is something to read, never more than allowed. */
export class Runner {
  readonly #options: RunnerOptions
  readonly #running = new Set<Promise<void>>()
  #reading = Promise.resolve()
  #isReading = false
  #readAgain = false
  #paused = false
  #stopped = false
  #abandoned = false
  #timer: NodeJS.Timeout | undefined

  constructor(options: RunnerOptions) {
    this.#options = options
  }

  /** Looks for work now, or right after the look that is under way. */
  wake(): void {
    if (this.#paused || this.#stopped) return
    this.#readAgain = true
    if (!this.#isReading) this.#reading = this.#read()
  }

  pause(): void {
    this.#paused = true
    clearTimeout(this.#timer)
  }

  resume(): void {
    this.#paused = false
    this.wake()
  }

  /** Starts nothing new and gives running handlers `graceMs` to finish before abandoning them. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    await this.#reading
    const finished = Promise.allSettled(this.#running)
    await limit(finished, graceMs, () => undefined)
    this.#abandoned = true
  }

  async #read(): Promise<void> {
    const { queue, config } = this.#options
    this.#isReading = true
    clearTimeout(this.#timer)
    let nextInMs: number | undefined
    try {
      while (this.#readAgain && !this.#paused && !this.#stopped) {
        this.#readAgain = false
        const free = config.maxConcurrent - this.#running.size
        // With every place taken, the next task to finish wakes the runner.
        if (free <= 0) break
        const batch = await queue.read(Math.min(free, config.batchSize))
        // A handler that begins after the signal would wait for it in vain.
        if (this.#isStopped()) return
        for (const started of batch.started) this.#launch(started)
        this.#readAgain ||= batch.full
        nextInMs = batch.nextInMs
      }
    } catch (error) {
      nextInMs = config.pollIntervalMs
      this.#report('could not read its queue', error)
    } finally {
      this.#isReading = false
    }
    if (nextInMs !== undefined) this.#wakeIn(nextInMs)
  }

  /** For messages that are there but not yet visible: delayed starts, retries, lost tasks. */
  #wakeIn(milliseconds: number): void {
    if (this.#paused || this.#stopped) return
    const longest = 2 ** 31 - 1
    this.#timer = setTimeout(() => this.wake(), Math.min(Math.max(milliseconds, 1), longest))
  }

  #launch(started: StartedTask): void {
    const work = this.#execute(started).finally(() => {
      this.#running.delete(work)
      this.wake()
    })
    this.#running.add(work)
  }

  async #execute(started: StartedTask): Promise<void> {
    const { queue } = this.#options
    try {
      const output = await this.#handle(started)
      if (!this.#abandoned) await queue.complete(started.task, output)
    } catch (reason) {
      // Also an output that JSON or Postgres cannot hold: the task fails, rather than hang.
      if (this.#abandoned) return
      await queue
        .fail(started.task, reason)
        .catch((error: unknown) => this.#report('could not record a failed task', error))
    }
  }

  async #handle({ task, message }: StartedTask): Promise<unknown> {
    const { steps, env, config, resources, shutdownSignal } = this.#options
    const step = steps.get(task.step_slug)
    if (!step) throw new Error(`Flow "${task.flow_slug}" has no step "${task.step_slug}"`)
    const shared: SharedContext = { env, shutdownSignal, workerConfig: config }
    const context = createContext(task, message, shared, resources)
    const work = Promise.resolve().then(() => step.run(task.input, context))
    return limit(work, step.timeoutSeconds * 1000, () => {
      throw new Error(`Step "${task.step_slug}" timed out after ${step.timeoutSeconds} seconds`)
    })
  }

  /** Asked anew: it may have become so while something was awaited. */
  #isStopped(): boolean {
    return this.#stopped
  }

  #report(what: string, error: unknown): void {
    if (this.#stopped) return
    console.error(`The embedded worker of flow "${this.#options.queue.slug}" ${what}:`, error)
  }
}

/** `work`, or what `onTimeout` makes of it after `milliseconds`. */
async function limit<T>(work: Promise<T>, milliseconds: number, onTimeout: () => T): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds)
  })
  try {
    return await Promise.race([work, timeout.then(onTimeout)])
  } finally {
    clearTimeout(timer)
  }
}
