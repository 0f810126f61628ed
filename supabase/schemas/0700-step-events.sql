-- A change that pgflow makes in the ordinary course sends the fields it changes. Any other (a step
-- that completes without having started or is skipped, a record that a racing worker wrote again)
-- sends all fields, so that a client that applies every event knows what a snapshot would tell.
create or replace function pgflow_realtime.remaining_steps(p_run_id uuid)
returns integer
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  return (select run.remaining_steps from pgflow.runs as run where run.run_id = p_run_id);
end;
$$;
comment on function pgflow_realtime.remaining_steps(uuid) is
  'How many steps of a run are neither completed nor skipped.';

create or replace function pgflow_realtime.on_step_change()
returns trigger
language plpgsql
security definer
set search_path = ''
set timezone = 'UTC'
as $$
declare
  v_state jsonb := to_jsonb(new);
  v_change text := new.status;
  v_payload jsonb;
begin
  if tg_op = 'UPDATE' then
    v_change := old.status || ' to ' || new.status;
  end if;

  v_payload := case v_change
    when 'created to started' then jsonb_build_object(
      'event_type', 'step:started', 'step_slug', new.step_slug, 'status', new.status,
      'started_at', v_state -> 'started_at', 'initial_tasks', v_state -> 'initial_tasks'
    )
    when 'started to failed' then jsonb_build_object(
      'event_type', 'step:failed', 'step_slug', new.step_slug, 'status', new.status,
      'error_message', v_state -> 'error_message', 'failed_at', v_state -> 'failed_at'
    )
    when 'started to completed' then jsonb_build_object(
      'event_type', 'step:completed', 'step_slug', new.step_slug, 'status', new.status,
      'output', pgflow_realtime.step_output(v_state), 'completed_at', v_state -> 'completed_at',
      'remaining_steps', pgflow_realtime.remaining_steps(new.run_id)
    )
    else pgflow_realtime.step_projection(v_state) || jsonb_build_object(
      'event_type', 'step:' || new.status,
      'remaining_steps', pgflow_realtime.remaining_steps(new.run_id)
    )
  end;

  perform pgflow_realtime.broadcast(
    new.run_id, new.step_slug || ':' || new.status, v_payload, v_state
  );
  return null;
end;
$$;
comment on function pgflow_realtime.on_step_change() is
  'Broadcasts a step''s new status: <step_slug>:<status>.';

create or replace function pgflow_realtime.on_step_progress()
returns trigger
language plpgsql
security definer
set search_path = ''
set timezone = 'UTC'
as $$
declare
  v_state jsonb := to_jsonb(new);
begin
  perform pgflow_realtime.broadcast(
    new.run_id,
    new.step_slug || ':progress',
    jsonb_build_object(
      'event_type', 'step:progress', 'step_slug', new.step_slug, 'status', new.status,
      'initial_tasks', v_state -> 'initial_tasks',
      'remaining_tasks', v_state -> 'remaining_tasks'
    ),
    v_state
  );
  return null;
end;
$$;
comment on function pgflow_realtime.on_step_progress() is
  'Broadcasts that a map step has got further: <step_slug>:progress.';

create or replace function pgflow_realtime.on_task_retry()
returns trigger
language plpgsql
security definer
set search_path = ''
set timezone = 'UTC'
as $$
declare
  v_state jsonb;
begin
  -- A failing task holds its run already. pgflow also puts stalled tasks of many runs back at
  -- once, without holding them; waiting for one here while holding another could deadlock, so such
  -- a run is passed over.
  perform from pgflow.runs as run where run.run_id = new.run_id for no key update skip locked;
  if not found then
    return null;
  end if;

  select to_jsonb(state) into v_state
  from pgflow.step_states as state
  where state.run_id = new.run_id and state.step_slug = new.step_slug;

  perform pgflow_realtime.broadcast(
    new.run_id,
    new.step_slug || ':retrying',
    jsonb_build_object(
      'event_type', 'step:retrying', 'step_slug', new.step_slug, 'status', v_state -> 'status',
      'task_index', new.task_index,
      'attempts_count', new.attempts_count,
      'error_message', new.error_message
    ),
    v_state
  );
  return null;
end;
$$;
comment on function pgflow_realtime.on_task_retry() is
  'Broadcasts that a task will be tried again: <step_slug>:retrying.';
