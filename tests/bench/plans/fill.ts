import type { ExplainingSession } from './explain.ts'

/** How many runs there are, and how many users started them. */
export const runs = 100_000
export const users = 1_000
export const flowSlug = 'crowded'
const otherFlow = 'rare'

/** The id of a user, and of a run. */
export const userId = (index: number) => `user-${index}`

/**
 * A database after 100,000 runs, by `generate_series` and not by running them: nine in ten
 * completed, the others started or failed; each with four steps and as many tasks.
 */
export async function fill(db: ExplainingSession): Promise<void> {
  await db.exec(
    `
    select pgflow.create_flow(slug, max_attempts => 3, base_delay => 0)
    from unnest(array['${flowSlug}', '${otherFlow}']) as slug;
    select pgflow.add_step(slug, 'a'), pgflow.add_step(slug, 'b', array['a']),
      pgflow.add_step(slug, 'c', array['a']), pgflow.add_step(slug, 'd', array['b', 'c'])
    from unnest(array['${flowSlug}', '${otherFlow}']) as slug;
    select pgflow_client.allow_start('${flowSlug}', role)
    from unnest(array['anon', 'authenticated', 'service_role']) as role;
    insert into pgflow.workers (worker_id, queue_name, function_name)
    values (gen_random_uuid(), '${flowSlug}', 'bench');
    set session_replication_role = replica;
    ${insertRuns}
    ${insertSteps}
    ${insertOurs}
    set session_replication_role = origin;
  `.replaceAll('%runs%', String(runs)),
  )
  await db.exec('vacuum analyze')
}

const insertRuns = `
  insert into pgflow.runs
    (run_id, flow_slug, status, input, output, remaining_steps, started_at, completed_at, failed_at)
  select
    gen_random_uuid(),
    case when n % 1000 = 0 then '${otherFlow}' else '${flowSlug}' end,
    state.status,
    '{"text": "A short input."}',
    case when state.status = 'completed' then '{"d": "done"}'::jsonb end,
    case when state.status = 'completed' then 0 else 3 end,
    now() - n * interval '1 minute',
    case when state.status = 'completed' then now() - (n - 0.5) * interval '1 minute' end,
    case when state.status = 'failed' then now() - (n - 0.5) * interval '1 minute' end
  from generate_series(1, %runs%) as n,
    lateral (select case when n % 20 = 7 then 'started' when n % 20 = 13 then 'failed'
      else 'completed' end as status) as state;
`

const insertSteps = `
  insert into pgflow.step_states
    (run_id, flow_slug, step_slug, status, remaining_tasks, initial_tasks, remaining_deps,
     error_message, created_at, started_at, completed_at, failed_at)
  select
    run.run_id, run.flow_slug, step.slug, run.status,
    case when run.status = 'completed' then 0 else 1 end, 1, 0,
    case when run.status = 'failed' then 'It broke.' end,
    run.started_at, run.started_at, run.completed_at, run.failed_at
  from pgflow.runs as run, unnest(array['a', 'b', 'c', 'd']) as step (slug);
  insert into pgflow.step_tasks
    (run_id, flow_slug, step_slug, message_id, task_index, status, attempts_count, output,
     error_message, queued_at, started_at, completed_at, failed_at)
  select
    state.run_id, state.flow_slug, state.step_slug, row_number() over (), 0, state.status, 1,
    case when state.status = 'completed' then '"done"'::jsonb end, state.error_message,
    state.started_at, state.started_at, state.completed_at, state.failed_at
  from pgflow.step_states as state;
`

const insertOurs = `
  insert into pgflow_realtime.run_seq (run_id, seq, error_message)
  select run_id, 10, case when status = 'failed' then 'It broke.' end from pgflow.runs;
  insert into pgflow_realtime.run_owners (run_id, owner, started_at)
  select run_id, 'user-' || (row_number() over () % ${users}), started_at from pgflow.runs;
`
