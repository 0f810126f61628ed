import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  auditEverything,
  changesOf,
  committedSnapshots,
  seqsInCommitOrder,
} from './support/audit.ts'
import { nativePort, openConcurrentDatabase } from './support/database.ts'
import { completeTask, createFlow, failTask, takeTasks, type Task } from './support/flows.ts'
import { messagesOf, snapshotOf } from './support/messages.ts'
import type { NativeDatabase, Session } from './support/native/session.ts'
import { applyMessage, projectionOf, type Projection } from './support/projection.ts'

const workers = 16
const seconds = Number(process.env.PGFLOW_STRESS_SECONDS ?? 6)

/** An error that a worker met, as Postgres told it. */
interface Failure {
  code: string
  message: string
  where: string
}

/**
 * pgflow 0.8.1 locks a step before its run when a task fails, and the run before the step when one
 * completes, so its workers deadlock with each other. Newer pgflow locks the run first: so does
 * `mended`, under which there must be no deadlock at all.
 */
const locks = [
  { name: 'as pgflow 0.8.1 takes its locks', mended: false },
  { name: 'as newer pgflow takes its locks', mended: true },
]

describe.runIf(nativePort).each(locks)(
  `${workers} workers on the same runs, $name`,
  ({ mended }) => {
    let db: NativeDatabase
    let sessions: Session[]
    let flow: string
    const failures: Failure[] = []
    const runIds: string[] = []

    beforeAll(async () => {
      db = await openConcurrentDatabase()
      // The status of newer pgflow, so that steps can be skipped too.
      await db.exec(`
      alter table pgflow.step_states add column skip_reason text, add column skipped_at timestamptz,
        drop constraint status_is_valid;
    `)
      if (mended) await lockRunFirst(db)
      await auditEverything(db)
      flow = await createFlow(db, [
        { slug: 'each', map: true, maxAttempts: 3 },
        { slug: 'then', after: ['each'], map: true, maxAttempts: 2 },
        { slug: 'left', maxAttempts: 3 },
        { slug: 'right', maxAttempts: 3 },
        { slug: 'both', after: ['left', 'right'] },
        { slug: 'optional', after: ['left'] },
        { slug: 'end', after: ['then', 'both'] },
      ])
      sessions = await Promise.all(Array.from({ length: workers }, () => db.connect()))
      await work()
    }, 600_000)
    afterAll(async () => {
      await Promise.all(sessions.map((session) => session.close()))
      await db.close()
    })

    /** Everybody works until the time is up; what each run was started with is known to all. */
    async function work(): Promise<void> {
      const until = Date.now() + seconds * 1000
      const shared = { current: randomUUID(), starts: 0, tasks: new Array<Task>() }
      await Promise.all(
        sessions.map(async (session) => {
          while (Date.now() < until) {
            await attempt(() => workOnce(session, shared))
          }
        }),
      )
    }

    async function attempt(action: () => Promise<unknown>): Promise<void> {
      try {
        await action()
      } catch (error) {
        if (!(error instanceof Error) || !('code' in error)) throw error
        const where = 'where' in error ? String(error.where) : ''
        failures.push({ code: String(error.code), message: error.message, where })
      }
    }

    async function workOnce(
      session: Session,
      shared: { current: string; starts: number; tasks: Task[] },
    ): Promise<void> {
      const tasks = await takeTasks(session, flow, 3)
      shared.tasks.push(...tasks)
      if (tasks.length === 0) return startTogether(session, shared)
      for (const task of tasks) {
        await attempt(() => answer(session, task))
        // Now and then a task of anybody is answered again, as after a lost connection.
        const again = shared.tasks[Math.floor(Math.random() * shared.tasks.length)]
        if (again && Math.random() < 0.2) await attempt(() => answer(session, again))
      }
      if (shared.tasks.length > 300) shared.tasks.splice(0, 200)
    }

    /** Up to three workers start one run with the same id at the same time. */
    async function startTogether(session: Session, shared: { current: string; starts: number }) {
      const runId = shared.current
      if (++shared.starts % 3 === 0) shared.current = randomUUID()
      if (!runIds.includes(runId)) runIds.push(runId)
      const size = Number.parseInt(runId.slice(0, 2), 16) % 20
      const input = JSON.stringify(Array.from({ length: size }, (_, index) => index))
      await session.query('select from pgflow_client.start_flow_with_states($1, $2::jsonb, $3)', [
        flow,
        input,
        runId,
      ])
    }

    async function answer(session: Session, task: Task): Promise<void> {
      const dice = Math.random()
      if (dice < 0.12) return failTask(session, task, `failed ${task.step_slug} ${task.task_index}`)
      if (dice < 0.16) return skipOptional(session, task.run_id)
      return completeTask(session, task, { done: task.task_index })
    }

    /** As newer pgflow skips a step: under the lock of its run. */
    function skipOptional(session: Session, runId: string): Promise<void> {
      return session.transaction(async (tx) => {
        const started = `select from pgflow.runs where run_id = $1 and status = 'started' for update`
        if ((await tx.query(started, [runId])).length === 0) return
        await tx.query(
          `with skipped as (
           update pgflow.step_states set status = 'skipped', skip_reason = 'random',
             skipped_at = now()
           where run_id = $1 and step_slug = 'optional' and status = 'created' returning 1
         )
         update pgflow.runs set remaining_steps = remaining_steps - 1
         where run_id = $1 and exists (select from skipped)`,
          [runId],
        )
        await tx.query('select pgflow.maybe_complete_run($1)', [runId])
      })
    }

    it('meet no error that is not of pgflow itself', () => {
      const ours = failures.filter((failure) =>
        /pgflow_realtime|pgflow_client|run_seq|run_owners/.test(failure.message + failure.where),
      )
      expect(ours).toEqual([])
      console.info(
        runIds.length,
        failures.map((f) => f.code + f.message + f.where.slice(0, 300)),
      )
      if (mended) expect(failures.filter((failure) => failure.code === '40P01')).toEqual([])
    })

    it('leave each run with a gapless seq in the order of commits', async () => {
      expect(runIds.length).toBeGreaterThan(2)
      for (const runId of runIds) {
        const seqs = await seqsInCommitOrder(db, runId)
        expect(seqs, runId).toEqual(seqs.map((_, index) => index + 1))
        expect((await snapshotOf(db, runId))?.seq).toBe(seqs.length)
      }
    })

    it('leave each run with exactly one broadcast a change', async () => {
      for (const runId of runIds) {
        const events = (await messagesOf(db, runId)).map((message) => message.event)
        const told = new Map<string, number>()
        for (const event of events) {
          if (!event.endsWith(':progress')) told.set(event, (told.get(event) ?? 0) + 1)
        }
        expect(Object.fromEntries(told), runId).toEqual(
          Object.fromEntries(await changesOf(db, runId)),
        )
      }
    })

    it('at every commit, events alone result in the same state as a snapshot', async () => {
      for (const runId of runIds) {
        const messages = (await messagesOf(db, runId)).toSorted(
          (a, b) => Number(a.payload.seq) - Number(b.payload.seq),
        )
        let known: Projection | undefined
        let seq = 0
        for (const snapshot of await committedSnapshots(db, runId)) {
          for (; known && seq < snapshot.seq; seq++) {
            const message = messages[seq]
            if (message) known = applyMessage(known, message)
          }
          if (known) expect(known, `${runId} at ${snapshot.seq}`).toEqual(projectionOf(snapshot))
          known = projectionOf(snapshot)
          seq = snapshot.seq
        }
      }
    })
  },
)

async function lockRunFirst(db: NativeDatabase): Promise<void> {
  const [found] = await db.query<{ definition: string }>(
    `select pg_get_functiondef('pgflow.fail_task(uuid, text, integer, text)'::regprocedure)
       as definition`,
  )
  const [before, after] = found?.definition.split('WITH run_lock AS (') ?? []
  if (!before || !after) throw new Error('pgflow.fail_task is not what it was')
  await db.exec(`${before}
    PERFORM FROM pgflow.runs AS run WHERE run.run_id = fail_task.run_id FOR UPDATE;
    WITH run_lock AS (${after}`)
}
