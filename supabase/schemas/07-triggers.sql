-- A change that pgflow makes in the ordinary course sends the fields it changes. Any other (a step
-- that completes without having started, a record that a racing worker wrote again) sends all
-- fields, so that a client that applies every event knows what a snapshot would tell.
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
  v_payload jsonb := jsonb_build_object(
    'event_type', 'step:' || new.status, 'step_slug', new.step_slug, 'status', new.status
  );
begin
  if tg_op = 'UPDATE' then
    v_change := old.status || ' to ' || new.status;
  end if;

  v_payload := v_payload || case v_change
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

  perform pgflow_realtime.broadcast(new.run_id, new.step_slug || ':' || new.status, v_payload);
  return null;
end;
$$;
comment on function pgflow_realtime.on_step_change() is
  'Broadcasts a step''s new status: <step_slug>:<status>.';

create or replace function pgflow_realtime.on_run_start()
returns trigger
language plpgsql
security definer
set search_path = ''
set timezone = 'UTC'
as $$
declare
  v_payload jsonb := pgflow_realtime.run_projection(to_jsonb(new), null);
begin
  if new.status = 'started' then
    v_payload := v_payload - array['output', 'error_message', 'completed_at', 'failed_at'];
  end if;
  perform pgflow_realtime.broadcast(
    new.run_id,
    'run:' || new.status,
    v_payload || jsonb_build_object('event_type', 'run:' || new.status)
  );
  return null;
end;
$$;
comment on function pgflow_realtime.on_run_start() is 'Broadcasts a new run: run:started.';

create or replace function pgflow_realtime.on_run_change()
returns trigger
language plpgsql
security definer
set search_path = ''
set timezone = 'UTC'
as $$
declare
  v_run pgflow.runs%rowtype;
  v_error_message text;
  v_payload jsonb;
begin
  -- This runs at the end of the transaction. By then the run may be gone, or have changed again,
  -- in which case the later change speaks for both.
  select * into v_run from pgflow.runs as run where run.run_id = new.run_id;
  if not found or (v_run.status, v_run.started_at, v_run.completed_at, v_run.failed_at)
    is distinct from (new.status, new.started_at, new.completed_at, new.failed_at) then
    return null;
  end if;

  if v_run.status = 'failed' then
    v_error_message := pgflow_realtime.failed_step_error(v_run.run_id);
  end if;

  v_payload := pgflow_realtime.run_projection(to_jsonb(v_run), v_error_message);
  v_payload := case old.status || ' to ' || v_run.status
    when 'started to completed' then v_payload
      - array['flow_slug', 'input', 'error_message', 'remaining_steps', 'started_at', 'failed_at']
    when 'started to failed' then v_payload
      - array['flow_slug', 'input', 'output', 'remaining_steps', 'started_at', 'completed_at']
    else v_payload
  end;

  perform pgflow_realtime.broadcast(
    v_run.run_id,
    'run:' || v_run.status,
    v_payload || jsonb_build_object('event_type', 'run:' || v_run.status)
  );
  -- Kept, so that a snapshot tells the error that was broadcast, whatever other steps do later.
  if v_run.status = 'failed' then
    update pgflow_realtime.run_seq set error_message = v_error_message where run_id = v_run.run_id;
  end if;
  return null;
end;
$$;
comment on function pgflow_realtime.on_run_change() is
  'Broadcasts a run''s new status: run:completed, run:failed. Runs last in the transaction.';

create or replace trigger pinia_pgflow_step_change
after update on pgflow.step_states
for each row
when (
  old.status is distinct from new.status
  or (
    new.status <> 'created'
    and (old.started_at, old.completed_at, old.failed_at)
      is distinct from (new.started_at, new.completed_at, new.failed_at)
  )
)
execute function pgflow_realtime.on_step_change();

-- pgflow creates steps as "created", which a client learns from the snapshot.
create or replace trigger pinia_pgflow_step_insert
after insert on pgflow.step_states
for each row
when (new.status <> 'created')
execute function pgflow_realtime.on_step_change();

create or replace trigger pinia_pgflow_run_start
after insert on pgflow.runs
for each row
execute function pgflow_realtime.on_run_start();

-- Deferred: pgflow sometimes fails a run a statement before it fails the step that is the reason,
-- and a client should hear the end of a run last.
drop trigger if exists pinia_pgflow_run_change on pgflow.runs;
create constraint trigger pinia_pgflow_run_change
after update on pgflow.runs
deferrable initially deferred
for each row
when (
  (old.status, old.started_at, old.completed_at, old.failed_at)
    is distinct from (new.status, new.started_at, new.completed_at, new.failed_at)
)
execute function pgflow_realtime.on_run_change();
