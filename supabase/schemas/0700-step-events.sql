-- A change that pgflow makes in the ordinary course sends the fields it changes. Any other (a step
-- that completes without having started or is skipped, a record that a racing worker wrote again)
-- sends all fields, so that a client that applies every event knows what a snapshot would say.
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

create or replace function pgflow_realtime.broadcast_whole_step(p_state pgflow.step_states)
returns void
language plpgsql
security definer
set search_path = ''
set timezone = 'UTC'
as $$
declare
  v_state jsonb := to_jsonb(p_state);
begin
  perform pgflow_realtime.broadcast(
    p_state.run_id,
    p_state.step_slug || ':' || p_state.status,
    pgflow_realtime.step_projection(v_state) || jsonb_build_object(
      'event_type', 'step:' || p_state.status,
      'remaining_steps', pgflow_realtime.remaining_steps(p_state.run_id)
    ),
    v_state
  );
end;
$$;
comment on function pgflow_realtime.broadcast_whole_step(pgflow.step_states) is
  'Broadcasts a step with all its fields: <step_slug>:<status>.';

create or replace function pgflow_realtime.is_restored()
returns boolean
language sql
stable
set search_path = ''
as $$
  -- What pg_dump writes for the data of a table, and nothing that runs flows does.
  select pg_trigger_depth() = 1 and current_query() ~* '^\s*copy\s';
$$;
comment on function pgflow_realtime.is_restored() is
  'Whether the row that is inserted comes from a backup: it is no news then.';

create or replace function pgflow_realtime.on_step_insert()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  if not pgflow_realtime.is_restored() then
    perform pgflow_realtime.broadcast_whole_step(new);
  end if;
  return null;
end;
$$;
comment on function pgflow_realtime.on_step_insert() is
  'Broadcasts a step that is not inserted as "created", which pgflow does not do.';

-- The one function that runs on nearly every event. It is flat and reads no column through JSON;
-- the conditions are in it, not in `when` clauses, which Postgres prepares anew for every statement
-- that touches a row.
create or replace function pgflow_realtime.on_step_update()
returns trigger
language plpgsql
security definer
set search_path = ''
set timezone = 'UTC'
as $$
declare
  v_event text;
  v_payload jsonb;
  v_seq bigint;
  v_tasks integer;
  v_output jsonb;
  v_remaining_steps integer;
begin
  if old.status = 'created' and new.status = 'started' then
    v_event := ':started';
  elsif old.status = 'started' and new.status = 'completed' then
    v_event := ':completed';
  elsif old.status = 'started' and new.status = 'failed' then
    v_event := ':failed';
  elsif old.status = new.status then
    if new.status = 'created' then
      return null;
    elsif old.started_at is distinct from new.started_at
      or old.completed_at is distinct from new.completed_at
      or old.failed_at is distinct from new.failed_at then
      perform pgflow_realtime.broadcast_whole_step(new);
      return null;
    -- At most 50 messages a step, the last of which is its completion: one whenever another
    -- fiftieth of its tasks is done.
    elsif new.status = 'started' and new.remaining_tasks < old.remaining_tasks
      and pgflow_realtime.has_map_steps() then
      v_tasks := new.initial_tasks;
      if (v_tasks - new.remaining_tasks)::bigint * 50 / nullif(v_tasks, 0)
        > (v_tasks - old.remaining_tasks)::bigint * 50 / nullif(v_tasks, 0) then
        v_event := ':progress';
      else
        return null;
      end if;
    else
      return null;
    end if;
  else
    perform pgflow_realtime.broadcast_whole_step(new);
    return null;
  end if;

  -- As in next_seq(), which says why.
  update pgflow_realtime.run_seq as counter
  set seq = counter.seq + 1
  where counter.run_id = new.run_id
  returning counter.seq into v_seq;
  if v_seq is null then
    v_seq := pgflow_realtime.start_counter(new.run_id);
  end if;

  if v_event = ':started' then
    if pgflow_realtime.has_map_steps() then
      v_tasks := new.initial_tasks;
    end if;
    v_payload := jsonb_build_object(
      'run_id', new.run_id, 'seq', v_seq, 'event_type', 'step:started', 'status', new.status,
      'step_slug', new.step_slug, 'started_at', new.started_at, 'initial_tasks', v_tasks
    );
  elsif v_event = ':progress' then
    v_payload := jsonb_build_object(
      'run_id', new.run_id, 'seq', v_seq, 'event_type', 'step:progress', 'status', new.status,
      'step_slug', new.step_slug, 'initial_tasks', v_tasks, 'remaining_tasks', new.remaining_tasks
    );
  elsif v_event = ':completed' then
    if pgflow_realtime.has_step_outputs() then
      v_output := new.output;
      select run.remaining_steps into v_remaining_steps
      from pgflow.runs as run where run.run_id = new.run_id;
    elsif pgflow_realtime.has_map_steps() then
      select
        run.remaining_steps,
        case when step.step_type = 'map' then (
          select coalesce(jsonb_agg(task.output order by task.task_index), '[]'::jsonb)
          from pgflow.step_tasks as task
          where task.run_id = new.run_id and task.step_slug = new.step_slug
            and task.status = 'completed'
        ) else (
          select task.output
          from pgflow.step_tasks as task
          where task.run_id = new.run_id and task.step_slug = new.step_slug
            and task.task_index = 0 and task.status = 'completed'
        ) end
      into v_remaining_steps, v_output
      from pgflow.runs as run, pgflow.steps as step
      where run.run_id = new.run_id
        and step.flow_slug = new.flow_slug and step.step_slug = new.step_slug;
    else
      v_output := pgflow_realtime.step_output(to_jsonb(new));
      v_remaining_steps := pgflow_realtime.remaining_steps(new.run_id);
    end if;
    v_payload := jsonb_build_object(
      'run_id', new.run_id, 'seq', v_seq, 'event_type', 'step:completed', 'status', new.status,
      'step_slug', new.step_slug, 'completed_at', new.completed_at, 'output', v_output,
      'remaining_steps', v_remaining_steps
    );
  else
    v_payload := jsonb_build_object(
      'run_id', new.run_id, 'seq', v_seq, 'event_type', 'step:failed', 'status', new.status,
      'step_slug', new.step_slug, 'failed_at', new.failed_at, 'error_message', new.error_message
    );
  end if;
  if pgflow_realtime.step_event_prefix() <> '' then
    v_payload := v_payload || jsonb_build_object(
      'flow_slug', new.flow_slug, 'remaining_tasks', new.remaining_tasks,
      'remaining_deps', new.remaining_deps
    );
  end if;

  begin
    if v_event = ':completed' or v_event = ':failed' then
      if octet_length(v_payload::text) > pgflow_realtime.max_payload_bytes() then
        v_payload := pgflow_realtime.fit(v_payload, pgflow_realtime.max_payload_bytes());
      end if;
    end if;
    perform realtime.send(
      v_payload,
      pgflow_realtime.step_event_prefix() || new.step_slug || v_event,
      'pgflow:run:' || new.run_id,
      pgflow_realtime.is_private()
    );
  exception
    when others then
      raise warning 'pinia-pgflow could not send % of run %: %',
        new.step_slug || v_event, new.run_id, sqlerrm;
  end;
  return null;
end;
$$;
comment on function pgflow_realtime.on_step_update() is
  'Broadcasts a step''s new status, <step_slug>:<status>, or that a map step has got further, <step_slug>:progress.';

create or replace function pgflow_realtime.on_task_retry()
returns trigger
language plpgsql
security definer
set search_path = ''
set timezone = 'UTC'
as $$
declare
  v_state jsonb;
  v_tasks bigint;
begin
  select to_jsonb(state) into v_state
  from pgflow.step_states as state
  where state.run_id = new.run_id and state.step_slug = new.step_slug;

  -- At most 50 tasks of a step, evenly, are told of, however many are put back; the snapshot has
  -- the one that was tried most often.
  v_tasks := v_state ->> 'initial_tasks';
  if v_tasks > 50 and (new.task_index + 1) * 50 / v_tasks = new.task_index * 50 / v_tasks then
    return null;
  end if;

  -- A failing task holds its run already. pgflow also puts stalled tasks of many runs back at
  -- once, without holding them; waiting for one here while holding another could deadlock, so such
  -- a run is passed over.
  perform from pgflow.runs as run where run.run_id = new.run_id for no key update skip locked;
  if not found then
    return null;
  end if;

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
