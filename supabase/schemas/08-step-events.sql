-- A change that pgflow makes in the ordinary course sends the fields it changes. Any other (a step
-- that completes without having started or is skipped, a record that a racing worker wrote again)
-- sends all fields, so that a client that applies every event knows what a snapshot would tell.
create or replace function pgflow_realtime.broadcast_step(
  p_state jsonb, p_change text, p_payload jsonb
)
returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_prefix text := (select setting.step_event_prefix from pgflow_realtime.settings as setting);
  v_payload jsonb := p_payload || jsonb_build_object(
    'event_type', 'step:' || p_change, 'step_slug', p_state -> 'step_slug'
  );
begin
  -- Whoever asks for pgflow's names gets what pgflow sends under them.
  if v_prefix <> '' then
    v_payload := v_payload || jsonb_build_object(
      'flow_slug', p_state -> 'flow_slug',
      'remaining_tasks', p_state -> 'remaining_tasks',
      'remaining_deps', p_state -> 'remaining_deps'
    );
  end if;
  perform pgflow_realtime.broadcast(
    (p_state ->> 'run_id')::uuid,
    v_prefix || (p_state ->> 'step_slug') || ':' || p_change,
    v_payload
  );
end;
$$;
comment on function pgflow_realtime.broadcast_step(jsonb, text, jsonb) is
  'Sends an event of a step, given its row as JSON: <step_slug>:<change>.';

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
      'started_at', v_state -> 'started_at', 'initial_tasks', v_state -> 'initial_tasks'
    )
    when 'started to completed' then jsonb_build_object(
      'output', pgflow_realtime.step_output(v_state), 'completed_at', v_state -> 'completed_at'
    )
    when 'started to failed' then jsonb_build_object(
      'error_message', v_state -> 'error_message', 'failed_at', v_state -> 'failed_at'
    )
    else pgflow_realtime.step_projection(v_state)
  end;

  if v_change not in ('created to started', 'started to failed') then
    v_payload := v_payload || (
      select jsonb_build_object('remaining_steps', run.remaining_steps)
      from pgflow.runs as run
      where run.run_id = new.run_id
    );
  end if;

  perform pgflow_realtime.broadcast_step(
    v_state, new.status, v_payload || jsonb_build_object('status', new.status)
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
  perform pgflow_realtime.broadcast_step(
    v_state,
    'progress',
    jsonb_build_object(
      'status', new.status,
      'initial_tasks', v_state -> 'initial_tasks',
      'remaining_tasks', v_state -> 'remaining_tasks'
    )
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

  perform pgflow_realtime.broadcast_step(
    v_state,
    'retrying',
    jsonb_build_object(
      'status', v_state -> 'status',
      'task_index', new.task_index,
      'attempts_count', new.attempts_count,
      'error_message', new.error_message
    )
  );
  return null;
end;
$$;
comment on function pgflow_realtime.on_task_retry() is
  'Broadcasts that a task will be tried again: <step_slug>:retrying.';
