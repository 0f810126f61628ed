-- The projection: what a client knows of a run and its steps, in snapshots and in broadcasts
-- alike. Everything is read as JSON, since some columns exist only in some versions of pgflow. The
-- time zone is fixed so that one instant is always the same text.
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
  -- Several steps can fail in a race: the one that failed the run carries the run's time.
  select to_jsonb(state) ->> 'error_message'
  from pgflow.step_states as state
  join pgflow.runs as run on run.run_id = state.run_id
  where state.run_id = p_run_id and state.status = 'failed'
  order by (state.failed_at is not distinct from run.failed_at) desc, state.failed_at, state.step_slug
  limit 1;
$$;
comment on function pgflow_realtime.failed_step_error(uuid) is
  'The error message of the step that failed a run.';

create or replace function pgflow_realtime.snapshots(p_run_ids uuid[])
returns table (run jsonb, steps jsonb, seq bigint)
language sql
stable
security definer
set search_path = ''
set timezone = 'UTC'
as $$
  -- One statement over stable functions: everything in it is true at the same moment.
  select
    to_jsonb(r) || pgflow_realtime.run_projection(
      to_jsonb(r),
      case when r.status = 'failed'
        then coalesce(counter.error_message, pgflow_realtime.failed_step_error(r.run_id))
      end
    ),
    (
      select coalesce(
        jsonb_agg(
          to_jsonb(state) || pgflow_realtime.step_projection(to_jsonb(state))
          order by state.step_slug
        ),
        '[]'::jsonb
      )
      from pgflow.step_states as state
      where state.run_id = r.run_id
    ),
    coalesce(counter.seq, 0)
  from pgflow.runs as r
  left join pgflow_realtime.run_seq as counter on counter.run_id = r.run_id
  where r.run_id = any (p_run_ids) and pgflow_realtime.may_read(r.run_id);
$$;
comment on function pgflow_realtime.snapshots(uuid[]) is
  'Runs, each with its steps ordered by slug and the seq they are true at; no row for a run that is unknown or not for the caller.';
