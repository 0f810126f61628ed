-- Events of a run.
create or replace function pgflow_realtime.broadcast_run(p_payload jsonb)
returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_run_id uuid := p_payload ->> 'run_id';
  v_event text := 'run:' || (p_payload ->> 'status');
  v_payload jsonb := p_payload || jsonb_build_object('event_type', v_event);
  v_seq bigint := pgflow_realtime.broadcast(v_run_id, v_event, v_payload);
  v_settings pgflow_realtime.settings;
  v_owner text;
begin
  select * into v_settings from pgflow_realtime.settings;
  if v_settings.visibility <> 'private' then
    return;
  end if;
  select owned.owner into v_owner from pgflow_realtime.run_owners as owned where owned.run_id = v_run_id;
  if v_owner is not null then
    perform pgflow_realtime.send(
      'pgflow:user:' || v_owner,
      v_event,
      v_payload - array['input', 'output'] || jsonb_build_object('seq', v_seq),
      v_settings
    );
  end if;
end;
$$;
comment on function pgflow_realtime.broadcast_run(jsonb) is
  'Sends an event of a run, given what of it to tell: run:<status>. A private run''s owner hears it on pgflow:user:<user id> too, without input and output.';

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
  if pgflow_realtime.caller_id() is not null then
    insert into pgflow_realtime.run_owners (run_id, owner, started_at)
    values (new.run_id, pgflow_realtime.caller_id(), new.started_at)
    on conflict do nothing;
  end if;
  if new.status = 'started' then
    v_payload := v_payload - array['output', 'error_message', 'completed_at', 'failed_at'];
  end if;
  perform pgflow_realtime.broadcast_run(v_payload);
  return null;
end;
$$;
comment on function pgflow_realtime.on_run_start() is
  'Remembers who started a run and broadcasts it: run:started.';

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
      - array['input', 'error_message', 'remaining_steps', 'started_at', 'failed_at']
    when 'started to failed' then v_payload
      - array['input', 'output', 'remaining_steps', 'started_at', 'completed_at']
    else v_payload
  end;

  perform pgflow_realtime.broadcast_run(v_payload);
  -- Kept, so that a snapshot tells the error that was broadcast, whatever other steps do later.
  if v_run.status = 'failed' then
    update pgflow_realtime.run_seq set error_message = v_error_message where run_id = v_run.run_id;
  end if;
  return null;
end;
$$;
comment on function pgflow_realtime.on_run_change() is
  'Broadcasts a run''s new status: run:completed, run:failed. Runs last in the transaction.';
