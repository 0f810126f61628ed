-- Events of a run.
create or replace function pgflow_realtime.send_to_owner(p_payload jsonb)
returns void
language plpgsql
security definer
set search_path = ''
set timezone = 'UTC'
as $$
declare
  v_owner text;
  v_started_at timestamptz;
begin
  -- Its start gives a run its position in lists.
  select owned.owner, owned.started_at into v_owner, v_started_at
  from pgflow_realtime.run_owners as owned
  where owned.run_id = (p_payload ->> 'run_id')::uuid;
  if v_owner is not null then
    perform pgflow_realtime.send_event(
      'pgflow:user:' || v_owner,
      p_payload ->> 'event_type',
      jsonb_build_object('started_at', v_started_at) || p_payload - array['input', 'output']
    );
  end if;
end;
$$;
comment on function pgflow_realtime.send_to_owner(jsonb) is
  'Sends an event of a private run to its owner too, on pgflow:user:<user id>, without input and output, and with started_at.';

create or replace function pgflow_realtime.broadcast_run(p_payload jsonb)
returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_event text := 'run:' || (p_payload ->> 'status');
  v_payload jsonb := p_payload || jsonb_build_object('event_type', v_event);
  v_seq bigint := pgflow_realtime.broadcast((p_payload ->> 'run_id')::uuid, v_event, v_payload);
begin
  if pgflow_realtime.is_private() then
    perform pgflow_realtime.send_to_owner(v_payload || jsonb_build_object('seq', v_seq));
  end if;
end;
$$;
comment on function pgflow_realtime.broadcast_run(jsonb) is
  'Sends an event of a run, run:<status>, given what of it to send; of a private run to its owner too.';

create or replace function pgflow_realtime.on_run_insert()
returns trigger
language plpgsql
security definer
set search_path = ''
set timezone = 'UTC'
as $$
declare
  v_owner text := pgflow_realtime.caller_id();
  v_seq bigint;
  v_payload jsonb;
begin
  if pgflow_realtime.is_restored() then
    return null;
  end if;
  if v_owner is not null then
    insert into pgflow_realtime.run_owners (run_id, owner, started_at)
    values (new.run_id, v_owner, new.started_at)
    on conflict do nothing;
  end if;
  if new.status <> 'started' then
    perform pgflow_realtime.broadcast_run(pgflow_realtime.run_projection(to_jsonb(new), null));
    return null;
  end if;
  -- If there is a counter already, the run was deleted without a trigger or restored after it.
  insert into pgflow_realtime.run_seq as counter (run_id, seq)
  values (new.run_id, 1)
  on conflict (run_id) do update set seq = counter.seq + 1
  returning counter.seq into v_seq;
  v_payload := jsonb_build_object(
    'run_id', new.run_id, 'seq', v_seq, 'event_type', 'run:started', 'status', new.status,
    'flow_slug', new.flow_slug, 'input', new.input, 'remaining_steps', new.remaining_steps,
    'started_at', new.started_at
  );
  perform pgflow_realtime.send_event('pgflow:run:' || new.run_id, 'run:started', v_payload);
  if pgflow_realtime.is_private() then
    perform pgflow_realtime.send_to_owner(v_payload);
  end if;
  return null;
end;
$$;
comment on function pgflow_realtime.on_run_insert() is
  'Remembers who started a run and broadcasts it: run:started.';

create or replace function pgflow_realtime.on_run_update()
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
  -- This runs at the end of the transaction. By then the run may be deleted, or have changed again;
  -- the later change then sends both.
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
      - array['input', 'output', 'started_at', 'completed_at']
    else v_payload
  end;

  perform pgflow_realtime.broadcast_run(v_payload);
  -- Stored, so that a snapshot has the error that was broadcast, whatever other steps do later.
  if v_run.status = 'failed' then
    update pgflow_realtime.run_seq set error_message = v_error_message where run_id = v_run.run_id;
  end if;
  return null;
end;
$$;
comment on function pgflow_realtime.on_run_update() is
  'Broadcasts a run''s new status: run:completed, run:failed. Runs last in the transaction.';
