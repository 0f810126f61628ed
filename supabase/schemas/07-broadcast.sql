create or replace function pgflow_realtime.fit(p_payload jsonb)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_limit integer;
  v_field text;
  v_truncated text[] := '{}';
  v_payload jsonb := p_payload;
begin
  select setting.max_payload_bytes into v_limit from pgflow_realtime.settings as setting;
  -- The error message comes last: it is almost never the one that is too large.
  foreach v_field in array array['output', 'input', 'error_message'] loop
    exit when octet_length(v_payload::text) <= v_limit;
    if v_payload ? v_field then
      v_truncated := v_truncated || v_field;
      v_payload := v_payload - v_field || jsonb_build_object('truncated', v_truncated);
    end if;
  end loop;
  return v_payload;
end;
$$;
comment on function pgflow_realtime.fit(jsonb) is
  'Cuts a payload down to max_payload_bytes by leaving out output, then input, then error_message, and names them in "truncated".';

create or replace function pgflow_realtime.send(p_topic text, p_event text, p_payload jsonb)
returns void
language plpgsql
security definer
set search_path = ''
set timezone = 'UTC'
as $$
begin
  perform realtime.send(
    pgflow_realtime.fit(p_payload), p_event, p_topic, pgflow_realtime.is_private()
  );
exception
  when others then
    raise warning 'pinia-pgflow could not send % on %: %', p_event, p_topic, sqlerrm;
end;
$$;
comment on function pgflow_realtime.send(text, text, jsonb) is
  'Sends one message over Realtime, publicly or privately as the setting says. Never fails the caller.';

create or replace function pgflow_realtime.broadcast(p_run_id uuid, p_event text, p_payload jsonb)
returns bigint
language plpgsql
security definer
set search_path = ''
as $$
declare
  -- Counted outside what forgives errors: a broadcast that is lost shows as a gap.
  v_seq bigint := pgflow_realtime.next_seq(p_run_id);
begin
  perform pgflow_realtime.send(
    'pgflow:run:' || p_run_id,
    p_event,
    p_payload || jsonb_build_object('run_id', p_run_id, 'seq', v_seq)
  );
  return v_seq;
end;
$$;
comment on function pgflow_realtime.broadcast(uuid, text, jsonb) is
  'Sends one event of a run on its channel pgflow:run:<run_id> with the next seq, which it returns.';
