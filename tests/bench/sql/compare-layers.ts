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
      const variants = await Promise.all(
        subjects.map(async ({ name, db }) => {
          const workerId = await createWorkload(db, workload)
          const measure = () => clock(db, () => workToTheEnd(db, workload, workerId))
          return { name, measure }
        }),
      )
      findings.comparisons[workload.title] = await compare(
        variants,
        rounds(workload.rounds),
        ratios,
      )
      for (const { name, db } of subjects) {
        findings.facts[`messages of a run, ${workload.title}, ${name}`] = await count(db, workload)
      }
    }
  } finally {
    await Promise.all(subjects.map(({ db }) => db.close()))
  }
  return findings
}

/** How many messages each run of the workload sent. */
async function count(db: Subject, { slug }: Workload): Promise<number> {
  const [row] = await db.query<{ count: number }>(
    `select round(count(*)::numeric / (select count(*) from pgflow.runs where flow_slug = $1), 1)
       ::float8 as count
     from realtime.messages as message
     where (message.payload ->> 'run_id')::uuid
       in (select run.run_id from pgflow.runs as run where run.flow_slug = $1)`,
    [slug],
  )
  return row?.count ?? NaN
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
