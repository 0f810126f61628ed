import type { NativeDatabase, Session } from './session.ts'
import { completeTask, startRun, takeTasks } from '../flows.ts'

/** Workers that run a flow, each in a session of its own, until they are stopped. */
export interface Workforce {
  /** What went wrong for a worker. */
  readonly failures: string[]
  readonly runIds: string[]
  /** Resolves when so many more calls of pgflow have been made. */
  progress(calls: number): Promise<void>
  /** Runs `work` while no worker is in the middle of anything. */
  paused(work: () => Promise<void>): Promise<void>
  /** Lets every run end; no worker starts another. */
  stop(): Promise<void>
}

/** Sets workers to work on the flow. They call pgflow as its own worker does, and nothing of ours. */
export async function employ(
  db: NativeDatabase,
  flow: string,
  workers: number,
): Promise<Workforce> {
  const sessions = await Promise.all(Array.from({ length: workers }, () => db.connect()))
  const failures: string[] = []
  const runIds: string[] = []
  const waiting: { until: number; resolve: () => void }[] = []
  let calls = 0
  let stopping = false
  let resumed = Promise.resolve()
  let busy = 0
  let onIdle = () => {}

  async function call<T>(work: () => Promise<T>): Promise<T | undefined> {
    await resumed
    busy += 1
    try {
      return await work()
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error))
      return undefined
    } finally {
      busy -= 1
      calls += 1
      if (busy === 0) onIdle()
      for (const wait of waiting.filter(({ until }) => until <= calls)) {
        waiting.splice(waiting.indexOf(wait), 1)
        wait.resolve()
      }
    }
  }

  async function work(session: Session): Promise<void> {
    for (;;) {
      const tasks = (await call(() => takeTasks(session, flow, 3))) ?? []
      for (const task of tasks) {
        await call(() => completeTask(session, task, { done: task.step_slug }))
      }
      if (tasks.length > 0) continue
      if (stopping) return
      const runId = await call(() => startRun(session, flow))
      if (runId) runIds.push(runId)
    }
  }

  const working = sessions.map(work)
  return {
    failures,
    runIds,
    progress: (count) =>
      new Promise((resolve) => {
        waiting.push({ until: calls + count, resolve })
      }),
    async paused(task) {
      let resume = () => {}
      resumed = new Promise((resolve) => {
        resume = resolve
      })
      if (busy > 0) {
        await new Promise<void>((resolve) => {
          onIdle = resolve
        })
      }
      try {
        await task()
      } finally {
        resume()
      }
    },
    async stop() {
      stopping = true
      await Promise.all(working)
      await Promise.all(sessions.map((session) => session.close()))
    },
  }
}
