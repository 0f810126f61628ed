import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { SeedsResult } from './run-seeds.ts'
import type { Batch } from './worker.ts'

const worker = fileURLToPath(new URL('./worker.ts', import.meta.url))
/** Schedules that a worker is given at once. */
const batchSize = 50

/** What a pool is asked for. */
export interface PoolOptions {
  first: number
  runs: number
  workers: number
  /** Rules that are not looked at. */
  ignored: readonly string[]
  /** Called after each batch. */
  onProgress: (total: SeedsResult) => void
}

/**
 * Plays many schedules in processes of their own.
 * @throws Error when a process ends before its time.
 */
export async function runPool(options: PoolOptions): Promise<SeedsResult> {
  const total: SeedsResult = { played: 0, steps: 0, failures: [] }
  const end = options.first + options.runs
  let next = options.first
  const takeBatch = (): Batch | null => {
    if (next >= end) return null
    const batch = { first: next, count: Math.min(batchSize, end - next), ignored: options.ignored }
    next += batch.count
    return batch
  }
  const add = (result: SeedsResult) => {
    total.played += result.played
    total.steps += result.steps
    total.failures.push(...result.failures)
    options.onProgress(total)
  }
  await Promise.all(Array.from({ length: options.workers }, () => runWorker(takeBatch, add)))
  return total
}

function runWorker(takeBatch: () => Batch | null, add: (result: SeedsResult) => void) {
  return new Promise<void>((resolve, reject) => {
    const child: ChildProcess = fork(worker)
    let batch: Batch | null = null
    const work = () => {
      batch = takeBatch()
      if (batch) child.send(batch)
      else child.disconnect()
    }
    child.on('message', (result: SeedsResult) => {
      add(result)
      work()
    })
    child.on('exit', (code) => {
      if (code === 0) return resolve()
      const seeds = batch ? `${batch.first} to ${batch.first + batch.count - 1}` : 'none'
      reject(new Error(`A worker ended with ${String(code)} while it played the seeds ${seeds}.`))
    })
    work()
  })
}
