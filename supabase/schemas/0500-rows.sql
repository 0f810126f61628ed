-- A run and its steps as a client receives them, in snapshots, lists and broadcasts alike. Rows are
-- read as JSON, since some columns exist only in some versions of pgflow. The time zone is fixed so
-- that one instant is always the same text.
create or replace function pgflow_realtime.step_output(p_state jsonb)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_run_id uuid := p_state ->> 'run_id';
  v_step_slug text := p_state ->> 'step_slug';
  v_is_map boolean := false;
begin
  if p_state ->> 'status' <> 'completed' then
    return null;
  end if;

  -- pgflow 0.11 and newer store it with the step.
  if p_state ? 'output' then
    return p_state -> 'output';
  end if;

  -- pgflow 0.7 introduced map steps, and initial_tasks with them.
  if p_state ? 'initial_tasks' then
    select step.step_type = 'map' into v_is_map
    from pgflow.steps as step
    where step.flow_slug = p_state ->> 'flow_slug' and step.step_slug = v_step_slug;
  end if;
  if v_is_map then
    return (
      select coalesce(jsonb_agg(task.output order by task.task_index), '[]'::jsonb)
      from pgflow.step_tasks as task
      where task.run_id = v_run_id and task.step_slug = v_step_slug and task.status = 'completed'
    );
  end if;
  return (
    select task.output
    from pgflow.step_tasks as task
    where task.run_id = v_run_id and task.step_slug = v_step_slug and task.status = 'completed'
    limit 1
  );
end;
$$;
comment on function pgflow_realtime.step_output(jsonb) is
  'The output of a completed step, given its row as JSON: of its only task, or of a map step''s tasks in order. Null for any other step.';

create or replace function pgflow_realtime.step_projection(p_state jsonb)
returns jsonb
language sql
stable
security definer
set search_path = ''
set timezone = 'UTC'
as $$
  select jsonb_build_object(
    'step_slug', p_state -> 'step_slug',
    'status', p_state -> 'status',
    'output', pgflow_realtime.step_output(p_state),
    'error_message', p_state -> 'error_message',
    'initial_tasks', p_state -> 'initial_tasks',
    'started_at', p_state -> 'started_at',
    'completed_at', p_state -> 'completed_at',
    'failed_at', p_state -> 'failed_at',
    'skip_reason', p_state -> 'skip_reason',
    'skipped_at', p_state -> 'skipped_at'
  );
$$;
comment on function pgflow_realtime.step_projection(jsonb) is
  'What a client knows of a step, given its row as JSON.';

create or replace function pgflow_realtime.step_retry(p_state jsonb)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  if p_state ->> 'status' <> 'started' then
    return null;
  end if;
  return (
    select jsonb_build_object(
      'task_index', task.task_index,
      -- For a task under way, the current attempt has not failed.
      'attempts_count', task.attempts_count - (task.status = 'started')::integer,
      'error_message', task.error_message
    )
    from pgflow.step_tasks as task
    where task.run_id = (p_state ->> 'run_id')::uuid
      and task.step_slug = p_state ->> 'step_slug'
      and (
        task.status = 'queued' and task.attempts_count > 0
        or task.status = 'started' and task.attempts_count > 1
      )
    order by task.attempts_count desc, task.task_index
    limit 1
  );
end;
$$;
comment on function pgflow_realtime.step_retry(jsonb) is
  'Of a step under way, the task that was tried most often and is tried again, as its :retrying has it; null where none is.';

create or replace function pgflow_realtime.run_projection(p_run jsonb, p_error_message text)
returns jsonb
language sql
immutable
set search_path = ''
as $$
  select jsonb_build_object(
    'run_id', p_run -> 'run_id',
    'flow_slug', p_run -> 'flow_slug',
    'status', p_run -> 'status',
    'input', p_run -> 'input',
    'output', p_run -> 'output',
    'error_message', case when p_run ->> 'status' = 'failed' then p_error_message end,
    'remaining_steps', p_run -> 'remaining_steps',
    'started_at', p_run -> 'started_at',
    'completed_at', p_run -> 'completed_at',
    'failed_at', p_run -> 'failed_at'
  );
$$;
comment on function pgflow_realtime.run_projection(jsonb, text) is
  'What a client knows of a run, given its row as JSON and the error it failed with.';

create or replace function pgflow_realtime.failed_step_error(p_run_id uuid)
returns text
language sql
stable
security definer
set search_path = ''
as $$
  -- Several steps can fail at nearly the same time: the one that failed the run has the run's time.
  select to_jsonb(state) ->> 'error_message'
  from pgflow.step_states as state
  join pgflow.runs as run on run.run_id = state.run_id
  where state.run_id = p_run_id and state.status = 'failed'
  order by (state.failed_at is not distinct from run.failed_at) desc, state.failed_at, state.step_slug
  limit 1;
$$;
comment on function pgflow_realtime.failed_step_error(uuid) is
  'The error message of the step that failed a run.';

-- For a run without a counter: it is older than the installation, or the counter was lost in a
-- restore or when pinia-pgflow was uninstalled and installed again. Its seq continues above every
-- one that it can have had, so that clients see a gap: from the clock, in milliseconds, which no
-- counter reaches.
create or replace function pgflow_realtime.seq_from_clock()
returns bigint
language sql
volatile
set search_path = ''
as $$
  select floor(extract(epoch from clock_timestamp()) * 1000)::bigint;
$$;
comment on function pgflow_realtime.seq_from_clock() is
  'Where the counter of a run begins that should have had one.';

create or replace function pgflow_realtime.seq_without_counter()
returns bigint
language sql
stable
set search_path = ''
as $$
  -- An hour in the past, so that it is below a seq that was counted and is not committed yet; and
  -- equal for 17 minutes, so that repeated requests show no change.
  select (floor(extract(epoch from statement_timestamp() - interval '1 hour') * 1000)::bigint >> 20) << 20;
$$;
comment on function pgflow_realtime.seq_without_counter() is
  'The seq in a snapshot of a run that has no counter: above all it had, below all it will have.';

create or replace function pgflow_realtime.run_row(p_run pgflow.runs, p_error_message text)
returns jsonb
language sql
stable
security definer
set search_path = ''
set timezone = 'UTC'
as $$
  select to_jsonb(p_run) || pgflow_realtime.run_projection(
    to_jsonb(p_run),
    case when (p_run).status = 'failed'
      then coalesce(p_error_message, pgflow_realtime.failed_step_error((p_run).run_id))
    end
  );
$$;
comment on function pgflow_realtime.run_row(pgflow.runs, text) is
  'A run as snapshots and lists have it: the row of pgflow.runs, and the error it failed with, given the one that was kept.';

create or replace function pgflow_realtime.step_row(p_state pgflow.step_states, p_step_index integer)
returns jsonb
language sql
stable
security definer
set search_path = ''
set timezone = 'UTC'
as $$
  select state.row || pgflow_realtime.step_projection(state.row) || jsonb_build_object(
    'step_index', p_step_index,
    'retry', pgflow_realtime.step_retry(state.row)
  )
  from (select to_jsonb(p_state)) as state (row);
$$;
comment on function pgflow_realtime.step_row(pgflow.step_states, integer) is
  'A step as snapshots have it: the row of pgflow.step_states with its output, its place in the flow, and its retry.';

create or replace function pgflow_realtime.snapshots(p_run_ids uuid[])
returns table (run jsonb, steps jsonb, seq bigint)
language sql
stable
security definer
set search_path = ''
as $$
  -- One statement over stable functions: all of it is read at the same moment.
  select
    pgflow_realtime.run_row(r, counter.error_message),
    (
      select coalesce(
        jsonb_agg(pgflow_realtime.step_row(state, step.step_index) order by state.step_slug),
        '[]'::jsonb
      )
      from pgflow.step_states as state
      left join pgflow.steps as step
        on step.flow_slug = state.flow_slug and step.step_slug = state.step_slug
      where state.run_id = r.run_id
    ),
    coalesce(counter.seq, pgflow_realtime.seq_without_counter())
  from pgflow.runs as r
  -- One index scan for each run, however many runs there are.
  left join lateral (
    select of_run.* from pgflow_realtime.run_seq as of_run where of_run.run_id = r.run_id offset 0
  ) as counter on true
  where r.run_id = any (p_run_ids)
    and (
      not pgflow_realtime.is_private()
      or (select pgflow_realtime.sees_everything())
      or pgflow_realtime.owns(r.run_id)
    );
$$;
comment on function pgflow_realtime.snapshots(uuid[]) is
  'Runs, each with its steps ordered by slug and the seq they are true at; no row for a run that is unknown or not for the caller.';
