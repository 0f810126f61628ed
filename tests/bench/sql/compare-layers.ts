import type { PreparedLevel, Queryable } from '../../../playground/backend/database.ts'
import { noFindings, type Findings } from '../benchmark.ts'
import { compare, type Wanted } from '../harness.ts'
import { createWorkload, workloads, workToTheEnd, type Workload } from './workloads.ts'

/** A database to measure. */
export interface Subject extends Queryable {
  close(): Promise<void>
}

/** How the databases differ; everything else is the same. */
const layers = [
  { name: 'nothing sent', level: 'pgflow', prepare: silence },
  { name: "pgflow's own", level: 'pgflow', prepare: () => Promise.resolve() },
  { name: 'this layer', level: 'full', prepare: () => Promise.resolve() },
  { name: 'this layer, private', level: 'full', prepare: makePrivate },
] as const

const ratios: Wanted[] = [
  { of: 'this layer', to: "pgflow's own", figure: '≤ 1.05' },
  { of: 'this layer', to: 'nothing sent' },
  { of: 'this layer, private', to: "pgflow's own" },
  { of: "pgflow's own", to: 'nothing sent' },
]

/** Runs every workload on a database of every layer, by turns. */
export async function compareLayers(
  open: (level: PreparedLevel) => Promise<Subject>,
  clock: (db: Subject, work: () => Promise<void>) => Promise<number>,
  rounds: (full: number) => number,
): Promise<Findings> {
  const findings = noFindings()
  const subjects = await Promise.all(
    layers.map(async ({ name, level, prepare }) => {
      const db = await open(level)
      // Its notification stands for the server's replication slot, and costs the writer more.
      await db.exec('drop trigger stand_in_announce on realtime.messages')
      await prepare(db)
      return { name, db }
    }),
  )
  try {
    for (const workload of workloads) {
      const workerIds = await Promise.all(subjects.map(({ db }) => createWorkload(db, workload)))
      const variants = subjects.map(({ name, db }, index) => {
        const workerId = workerIds[index] ?? ''
        const measure = () => clock(db, () => workToTheEnd(db, workload, workerId))
        return { name, measure }
      })
      findings.comparisons[workload.title] = await compare(
        variants,
        rounds(workload.rounds),
        ratios,
      )
      for (const [index, { name, db }] of subjects.entries()) {
        findings.facts[`a run, ${workload.title}, ${name}`] = await countRun(
          db,
          workload,
          workerIds[index] ?? '',
        )
      }
    }
  } finally {
    await Promise.all(subjects.map(({ db }) => db.close()))
  }
  return findings
}

/**
 * What a run writes and calls, which no busy machine changes: a regression shows here first. The
 * calls are those of functions that are not inlined, pgflow's own among them.
 */
async function countRun(db: Subject, workload: Workload, workerId: string): Promise<string> {
  const read = async () => {
    const [row] = await db.query<{ messages: number; wal: number; calls: number }>(`
      select
        (select count(*) from realtime.messages)::float8 as messages,
        (pg_current_wal_insert_lsn() - '0/0')::float8 as wal,
        (select coalesce(sum(calls), 0) from pg_stat_user_functions)::float8 as calls
      from pg_stat_force_next_flush()`)
    return row ?? { messages: NaN, wal: NaN, calls: NaN }
  }
  await db.exec('checkpoint')
  // The first run after it writes whole pages.
  await workToTheEnd(db, workload, workerId)
  await db.exec(`set track_functions = 'all'`)
  await read()
  const before = await read()
  await workToTheEnd(db, workload, workerId)
  await read()
  const after = await read()
  await db.exec(`set track_functions = 'none'`)
  const messages = after.messages - before.messages
  const wal = Math.round((after.wal - before.wal) / 1000)
  return `${messages} messages, ${wal} kB of WAL, ${after.calls - before.calls} function calls`
}

/** pgflow as it is, except that what it sends goes nowhere. */
async function silence(db: Subject): Promise<void> {
  await db.exec(`
    create schema bench;
    create function bench.silence(
      payload jsonb, event text, topic text, private boolean default true
    )
    returns void language plpgsql set search_path = '' as 'begin end';
    do $$
    declare
      v_definition text;
    begin
      for v_definition in
        select pg_get_functiondef(oid) from pg_proc
        where pronamespace = 'pgflow'::regnamespace and prokind in ('f', 'p')
          and prosrc like '%realtime.send(%'
      loop
        execute replace(v_definition, 'realtime.send(', 'bench.silence(');
      end loop;
    end;
    $$;
  `)
}

/** With a user who starts the runs: each then has an owner, who also hears of it on their feed. */
async function makePrivate(db: Subject): Promise<void> {
  await db.exec(`
    select pgflow_realtime.set_visibility('private'),
      set_config('request.jwt.claims', '{"role": "authenticated", "sub": "bench"}', false)
  `)
}
