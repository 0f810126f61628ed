import type { TestDatabase } from '../../sql/support/database.ts'
import { messagesOf, type Snapshot } from '../../sql/support/messages.ts'
import type { Json } from 'pinia-pgflow'
import type { TestFlow } from 'pinia-pgflow/testing'
import type { Move } from './scenarios.ts'

/** A run to be played on Postgres. */
export interface Played {
  flowSlug: string
  runId: string
  flow: TestFlow
  maxAttempts: number
  input: Json
  moves: readonly Move[]
}

/** Prepares a database for `playOnPostgres`. */
export async function preparePlays(db: TestDatabase, maxPayloadBytes: number): Promise<void> {
  await db.query('select pgflow_realtime.set_max_payload_bytes($1)', [maxPayloadBytes])
  await db.exec(`
    create table test.told (
      position bigint generated always as identity, run_id uuid, run jsonb, steps jsonb, seq bigint
    );
    create index on test.told (run_id);

    create function test.take(p_flow_slug text) returns void language plpgsql as $$
    declare
      v_worker uuid := gen_random_uuid();
      v_messages bigint[];
    begin
      select array_agg(msg_id) into v_messages from pgmq.read(p_flow_slug, 60, 10000);
      if v_messages is null then
        return;
      end if;
      -- Nothing analyses tables here as a server does: without statistics pgflow's start_tasks needs
      -- minutes for 2,000 tasks.
      if cardinality(v_messages) > 100 then
        analyze pgflow.step_tasks, pgflow.step_states, pgflow.runs, pgflow.deps;
      end if;
      insert into pgflow.workers (worker_id, queue_name, function_name)
      values (v_worker, p_flow_slug, p_flow_slug);
      perform pgflow.start_tasks(p_flow_slug, v_messages, v_worker);
    end;
    $$;

    create function test.tell(p_run_id uuid) returns void language sql as $$
      insert into test.told (run_id, run, steps, seq)
      select p_run_id, s.* from pgflow_client.get_run_with_states(p_run_id) as s;
    $$;`)
}

/** Plays a run: every call is a transaction of its own. */
export async function playOnPostgres(db: TestDatabase, played: Played) {
  const { flowSlug, runId, flow, maxAttempts, input, moves } = played
  const run = literal(runId)
  const steps = Object.entries(flow).map(([slug, { deps = [], type = 'single' }]) => {
    const after = `array[${deps.map(literal).join(', ')}]::text[]`
    return `pgflow.add_step(${literal(flowSlug)}, ${literal(slug)}, ${after},
      max_attempts => ${maxAttempts}, step_type => ${literal(type)})`
  })
  const answers = moves.map((move) => {
    const task = `${run}, ${literal(move.step)}, ${move.task ?? 0}`
    return 'output' in move
      ? `pgflow.complete_task(${task}, ${jsonLiteral(move.output)})`
      : `pgflow.fail_task(${task}, ${literal(move.failure)})`
  })
  // In memory, workers take what waits at once: it is as if nothing ever did.
  const told = [`test.take(${literal(flowSlug)})`, `test.tell(${run})`]
  const scripts = [
    [`pgflow.create_flow(${literal(flowSlug)}, max_attempts => 1, base_delay => 0)`, ...steps],
    [`pgflow.start_flow(${literal(flowSlug)}, ${jsonLiteral(input)}, ${run})`, ...told],
    ...answers.map((answer) => [answer, ...told]),
  ]
  // All transactions of a script have the time at which it was sent.
  for (const script of scripts) {
    await db.exec(script.map((call) => `begin; select ${call}; commit;`).join('\n'))
  }
  const snapshots = await db.query<Snapshot>(
    'select run, steps, seq::float8 from test.told where run_id = $1 order by position',
    [runId],
  )
  return { sent: await messagesOf(db, runId), told: snapshots }
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}

function jsonLiteral(value: Json): string {
  return `${literal(JSON.stringify(value))}::jsonb`
}
