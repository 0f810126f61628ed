import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { PoolOptions, PoolRunnerInitializer, PoolWorker, WorkerRequest } from 'vitest/node'

/** After so many runs a thread is replaced: each run leaves a little behind. */
const runsOfThread = 100

interface Thread {
  worker: Worker
  runs: number
}

/** Threads that wait for the next run, by the name of their environment. */
const idle = new Map<string, Thread>()

/**
 * Threads that outlive a run. Vitest ends them after each, and Stryker needs a run for each mutant:
 * most of the time went into loading Vue and jsdom anew. The code under test is not loaded again
 * either, which is right because a mutant is a branch in it that is taken or not.
 */
export const warmPool: PoolRunnerInitializer = {
  name: 'warm',
  createPoolWorker: (options) => new WarmWorker(options),
}

class WarmWorker implements PoolWorker {
  readonly name = 'warm'
  readonly #options: PoolOptions
  #thread: Thread | null = null
  /** Whether it was asked to stop by a message, and not by force. */
  #isAtRest = false

  constructor(options: PoolOptions) {
    this.#options = options
  }

  start(): Promise<void> {
    const { environment } = this.#options
    this.#thread = idle.get(environment.name) ?? this.#create()
    idle.delete(environment.name)
    this.#thread.runs += 1
    return Promise.resolve()
  }

  on(event: string, callback: (message: unknown) => void): void {
    this.#thread?.worker.on(event, callback)
  }

  off(event: string, callback: (message: unknown) => void): void {
    this.#thread?.worker.off(event, callback)
  }

  /** The thread is not told to stop: that would end its environment. */
  send(message: WorkerRequest): void {
    const worker = this.#thread?.worker
    if (message.type === 'stop') {
      this.#isAtRest = true
      queueMicrotask(() => worker?.emit('message', { type: 'stopped', ...isResponse }))
    } else worker?.postMessage(message)
  }

  async stop(): Promise<void> {
    const thread = this.#thread
    if (!thread) return
    for (const event of ['message', 'error', 'exit']) thread.worker.removeAllListeners(event)
    if (this.#isAtRest && thread.runs < runsOfThread) {
      thread.worker.unref()
      idle.set(this.#options.environment.name, thread)
    } else await thread.worker.terminate()
  }

  deserialize(message: unknown): unknown {
    return message
  }

  #create(): Thread {
    const { distPath, env, execArgv } = this.#options
    const worker = new Worker(join(distPath, 'workers/threads.js'), {
      // Vitest gives texts only; its type has room for `undefined`.
      env: Object.fromEntries(Object.entries(env)),
      execArgv,
    })
    return { worker, runs: 0 }
  }
}

const isResponse = { __vitest_worker_response__: true }
