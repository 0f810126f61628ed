-- An ordinary change of pgflow sends the fields that it changes. Any other (a step that completes
-- without having started or is skipped, a row that a racing worker has written again) sends all
-- fields, so that events alone result in the same state as a snapshot.
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
  -- The form in which pg_dump writes the data of a table, and nothing that runs flows does.
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

create or replace function pgflow_realtime.broadcast_step_change(
  p_old pgflow.step_states, p_new pgflow.step_states
)
returns void
language plpgsql
security definer
set search_path = ''
set timezone = 'UTC'
as $$
declare
  v_state jsonb := to_jsonb(p_new);
  v_payload jsonb;
begin
  if p_old.status = p_new.status and (
    p_new.status = 'created'
    or (p_old.started_at, p_old.completed_at, p_old.failed_at)
      is not distinct from (p_new.started_at, p_new.completed_at, p_new.failed_at)
  ) then
    return;
  end if;
  v_payload := case p_old.status || ' to ' || p_new.status
    when 'created to started' then jsonb_build_object(
      'started_at', v_state -> 'started_at', 'initial_tasks', v_state -> 'initial_tasks'
    )
    when 'started to failed' then jsonb_build_object(
      'error_message', v_state -> 'error_message', 'failed_at', v_state -> 'failed_at'
    )
    when 'started to completed' then jsonb_build_object(
      'output', pgflow_realtime.step_output(v_state), 'completed_at', v_state -> 'completed_at',
      'remaining_steps', pgflow_realtime.remaining_steps(p_new.run_id)
    )
  end;
  if v_payload is null then
    perform pgflow_realtime.broadcast_whole_step(p_new);
    return;
  end if;
  perform pgflow_realtime.broadcast(
    p_new.run_id,
    p_new.step_slug || ':' || p_new.status,
    v_payload || jsonb_build_object(
      'event_type', 'step:' || p_new.status, 'status', p_new.status, 'step_slug', p_new.step_slug
    ),
    v_state
  );
end;
$$;
comment on function pgflow_realtime.broadcast_step_change(pgflow.step_states, pgflow.step_states) is
  'Broadcasts a step''s new status, <step_slug>:<status>, or that its times were written again; nothing where neither changed.';

create or replace function pgflow_realtime.broadcast_progress(p_state pgflow.step_states)
returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform pgflow_realtime.broadcast(
    p_state.run_id,
    p_state.step_slug || ':progress',
    jsonb_build_object(
      'event_type', 'step:progress', 'status', p_state.status, 'step_slug', p_state.step_slug,
      'initial_tasks', p_state.initial_tasks, 'remaining_tasks', p_state.remaining_tasks
    ),
    to_jsonb(p_state)
  );
end;
$$;
comment on function pgflow_realtime.broadcast_progress(pgflow.step_states) is
  'Broadcasts that a map step has got further: <step_slug>:progress.';

create or replace function pgflow_realtime.on_step_update_before_maps()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  perform pgflow_realtime.broadcast_step_change(old, new);
  return null;
end;
$$;
comment on function pgflow_realtime.on_step_update_before_maps() is
  'Broadcasts changes of steps on pgflow before 0.7, which has no map steps and no initial_tasks.';

-- This runs on nearly every event, and is optimised for that. The conditions are in it rather than
-- in `when` clauses, which Postgres prepares again for every statement that updates a row. It
-- evaluates few expressions, each of which is prepared once a transaction. Rare or large events go
-- through broadcast_step_change().
create or replace function pgflow_realtime.on_step_update()
returns trigger
language plpgsql
security definer
set search_path = ''
set timezone = 'UTC'
as $$
declare
  v_seq bigint;
  v_output jsonb;
  v_is_map boolean;
  v_remaining_steps integer;
begin
  if old.status = 'started' and new.status = 'completed'
    and pgflow_realtime.step_event_prefix() = '' then
    -- pgflow 0.11 and newer store the output with the step. The column is named only where it
    -- exists.
    if pgflow_realtime.has_step_outputs() then
      v_output := new.output;
      v_remaining_steps := pgflow_realtime.remaining_steps(new.run_id);
    else
      select
        (select run.remaining_steps from pgflow.runs as run where run.run_id = new.run_id),
        (
          select task.output
          from pgflow.step_tasks as task
          where task.run_id = new.run_id and task.step_slug = new.step_slug and task.task_index = 0
        ),
        (
          select step.step_type = 'map'
          from pgflow.steps as step
          where step.flow_slug = new.flow_slug and step.step_slug = new.step_slug
        )
      into v_remaining_steps, v_output, v_is_map;
    end if;
    -- Converted to text once: here if it is small, which does not limit the length of its text, and
    -- in broadcast_step_change() if not.
    if v_is_map or pg_column_size(v_output) > 1900
      or octet_length(v_output::text) > pgflow_realtime.max_payload_bytes() - 2000 then
      perform pgflow_realtime.broadcast_step_change(old, new);
      return null;
    end if;
    -- See next_seq() for the reason.
    update pgflow_realtime.run_seq as counter
    set seq = counter.seq + 1
    where counter.run_id = new.run_id
    returning counter.seq into v_seq;
    begin
      -- A condition, since `perform` would start a query of its own.
      if realtime.send(
        jsonb_build_object(
          'run_id', new.run_id, 'seq', coalesce(v_seq, pgflow_realtime.start_counter(new.run_id)),
          'event_type', 'step:completed', 'status', 'completed', 'step_slug', new.step_slug,
          'completed_at', new.completed_at, 'output', v_output, 'remaining_steps', v_remaining_steps
        ),
        new.step_slug || ':completed', 'pgflow:run:' || new.run_id, pgflow_realtime.is_private()
      ) is null then
        null;
      end if;
    exception
      when others then
        perform pgflow_realtime.warn_of_loss(new.run_id, v_seq, sqlerrm);
    end;

  elsif old.status = 'created' and new.status = 'started'
    and pgflow_realtime.step_event_prefix() = '' then
    update pgflow_realtime.run_seq as counter
    set seq = counter.seq + 1
    where counter.run_id = new.run_id
    returning counter.seq into v_seq;
    begin
      if realtime.send(
        jsonb_build_object(
          'run_id', new.run_id, 'seq', coalesce(v_seq, pgflow_realtime.start_counter(new.run_id)),
          'event_type', 'step:started', 'status', 'started', 'step_slug', new.step_slug,
          'started_at', new.started_at, 'initial_tasks', new.initial_tasks
        ),
        new.step_slug || ':started', 'pgflow:run:' || new.run_id, pgflow_realtime.is_private()
      ) is null then
        null;
      end if;
    exception
      when others then
        perform pgflow_realtime.warn_of_loss(new.run_id, v_seq, sqlerrm);
    end;

  elsif old.status = 'started' and new.status = 'started'
    and new.remaining_tasks < old.remaining_tasks
    and old.started_at is not distinct from new.started_at
    and old.completed_at is not distinct from new.completed_at
    and old.failed_at is not distinct from new.failed_at then
    -- At most 50 messages a step, the last of which is its completion: one for each fiftieth of its
    -- tasks.
    if (new.initial_tasks - new.remaining_tasks)::bigint * 50 / nullif(new.initial_tasks, 0)
      > (new.initial_tasks - old.remaining_tasks)::bigint * 50 / nullif(new.initial_tasks, 0) then
      if pgflow_realtime.step_event_prefix() <> '' then
        perform pgflow_realtime.broadcast_progress(new);
        return null;
      end if;
      update pgflow_realtime.run_seq as counter
      set seq = counter.seq + 1
      where counter.run_id = new.run_id
      returning counter.seq into v_seq;
      begin
        if realtime.send(
          jsonb_build_object(
            'run_id', new.run_id, 'seq', coalesce(v_seq, pgflow_realtime.start_counter(new.run_id)),
            'event_type', 'step:progress', 'status', 'started', 'step_slug', new.step_slug,
            'initial_tasks', new.initial_tasks, 'remaining_tasks', new.remaining_tasks
          ),
          new.step_slug || ':progress', 'pgflow:run:' || new.run_id, pgflow_realtime.is_private()
        ) is null then
          null;
        end if;
      exception
        when others then
          perform pgflow_realtime.warn_of_loss(new.run_id, v_seq, sqlerrm);
      end;
    end if;

  else
    perform pgflow_realtime.broadcast_step_change(old, new);
  end if;
  return null;
end;
$$;
comment on function pgflow_realtime.on_step_update() is
  'Broadcasts a step''s new status, <step_slug>:<status>, or that a map step has got further, <step_slug>:progress.';

create or replace function pgflow_realtime.warn_of_loss(p_run_id uuid, p_seq bigint, p_error text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  raise warning 'pinia-pgflow could not send event % of run %: %', p_seq, p_run_id, p_error;
end;
$$;
comment on function pgflow_realtime.warn_of_loss(uuid, bigint, text) is
  'Warns that an event could not be sent, which its receivers see as a gap.';

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

  -- At most 50 tasks of a step, evenly spread, send this event, however many are retried. The
  -- snapshot has the task with the most attempts.
  v_tasks := v_state ->> 'initial_tasks';
  if v_tasks > 50 and (new.task_index + 1) * 50 / v_tasks = new.task_index * 50 / v_tasks then
    return null;
  end if;

  -- A failing task holds its run already. pgflow also retries stalled tasks of many runs at once,
  -- without holding the runs. Waiting for one here while holding another could deadlock, so such a
  -- run is skipped.
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
