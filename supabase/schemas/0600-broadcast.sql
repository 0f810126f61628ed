-- What every change of a run or step costs: few calls, and the settings are read once.
create or replace function pgflow_realtime.fit(p_payload jsonb, p_limit integer)
returns jsonb
language plpgsql
immutable
security definer
set search_path = ''
as $$
declare
  v_field text;
  v_truncated text[] := '{}';
  v_payload jsonb := p_payload;
begin
  -- The error message comes last: it is almost never the one that is too large.
  foreach v_field in array array['output', 'input', 'error_message'] loop
    exit when octet_length(v_payload::text) <= p_limit;
    if v_payload ? v_field then
      v_truncated := v_truncated || v_field;
      v_payload := v_payload - v_field || jsonb_build_object('truncated', v_truncated);
    end if;
  end loop;
  return v_payload;
end;
$$;
comment on function pgflow_realtime.fit(jsonb, integer) is
  'Cuts a payload down to a number of bytes by leaving out output, then input, then error_message, and names them in "truncated".';

create or replace function pgflow_realtime.send(
  p_topic text, p_event text, p_payload jsonb, p_settings pgflow_realtime.settings
)
returns void
language plpgsql
security definer
set search_path = ''
set timezone = 'UTC'
as $$
declare
  v_payload jsonb := p_payload;
begin
  if octet_length(v_payload::text) > p_settings.max_payload_bytes then
    v_payload := pgflow_realtime.fit(v_payload, p_settings.max_payload_bytes);
  end if;
  perform realtime.send(v_payload, p_event, p_topic, p_settings.visibility = 'private');
exception
  when others then
    raise warning 'pinia-pgflow could not send % on %: %', p_event, p_topic, sqlerrm;
end;
$$;
comment on function pgflow_realtime.send(text, text, jsonb, pgflow_realtime.settings) is
  'Sends one message over Realtime, publicly or privately as the settings say. Never fails the caller.';

create or replace function pgflow_realtime.broadcast(
  p_run_id uuid, p_event text, p_payload jsonb, p_state jsonb default null
)
returns bigint
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_settings pgflow_realtime.settings;
  v_event text := p_event;
  v_payload jsonb := p_payload;
  v_seq bigint;
begin
  -- The row stays locked until commit, which is what puts seq in commit order. Whoever changes a
  -- run or its steps already holds the run's own row, so nobody waits here who did not wait there.
  -- Counted outside what forgives errors: a broadcast that is lost shows as a gap.
  update pgflow_realtime.run_seq as counter
  set seq = counter.seq + 1
  where counter.run_id = p_run_id
  returning counter.seq into v_seq;
  if not found then
    insert into pgflow_realtime.run_seq as counter (run_id, seq)
    values (p_run_id, 1)
    on conflict (run_id) do update set seq = counter.seq + 1
    returning counter.seq into v_seq;
  end if;

  select * into v_settings from pgflow_realtime.settings;
  if p_state is not null and v_settings.step_event_prefix <> '' then
    v_event := v_settings.step_event_prefix || p_event;
    -- Whoever asks for pgflow's names gets what pgflow sends under them.
    v_payload := v_payload || jsonb_build_object(
      'flow_slug', p_state -> 'flow_slug',
      'remaining_tasks', p_state -> 'remaining_tasks',
      'remaining_deps', p_state -> 'remaining_deps'
    );
  end if;

  perform pgflow_realtime.send(
    'pgflow:run:' || p_run_id,
    v_event,
    v_payload || jsonb_build_object('run_id', p_run_id, 'seq', v_seq),
    v_settings
  );
  return v_seq;
end;
$$;
comment on function pgflow_realtime.broadcast(uuid, text, jsonb, jsonb) is
  'Sends one event of a run on its channel pgflow:run:<run_id> with the next seq, which it returns. For an event of a step, p_state is its row as JSON.';
