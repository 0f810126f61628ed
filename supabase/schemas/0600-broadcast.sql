-- Sends events. The most frequent ones, of steps, do the same in one function each
-- (0700-step-events.sql): every call between a change and realtime.send costs as much as the
-- insertion into its table.
create or replace function pgflow_realtime.fit(p_payload jsonb, p_limit integer)
returns jsonb
language plpgsql
immutable
set search_path = ''
as $$
declare
  v_field text;
  v_truncated text[] := '{}';
  v_payload jsonb := p_payload;
begin
  -- The error message comes last: it is almost never the reason.
  foreach v_field in array array['output', 'input', 'error_message'] loop
    if v_payload ? v_field then
      v_truncated := v_truncated || v_field;
      v_payload := v_payload - v_field || jsonb_build_object('truncated', v_truncated);
      -- A payload with none of these fields left is not measured again.
      exit when not v_payload ?| array['output', 'input', 'error_message']
        or octet_length(v_payload::text) <= p_limit;
    end if;
  end loop;
  return v_payload;
end;
$$;
comment on function pgflow_realtime.fit(jsonb, integer) is
  'Cuts a payload that is too large by leaving out output, then input, then error_message, until it fits, and names them in "truncated".';

create or replace function pgflow_realtime.send_event(p_topic text, p_event text, p_payload jsonb)
returns void
language plpgsql
security definer
set search_path = ''
set timezone = 'UTC'
as $$
begin
  if octet_length(p_payload::text) > pgflow_realtime.max_payload_bytes() then
    perform realtime.send(
      pgflow_realtime.fit(p_payload, pgflow_realtime.max_payload_bytes()),
      p_event, p_topic, pgflow_realtime.is_private()
    );
  else
    perform realtime.send(p_payload, p_event, p_topic, pgflow_realtime.is_private());
  end if;
exception
  when others then
    raise warning 'pinia-pgflow could not send % on %: %', p_event, p_topic, sqlerrm;
end;
$$;
comment on function pgflow_realtime.send_event(text, text, jsonb) is
  'Sends one message over Realtime, publicly or privately as the settings say. Never fails the caller.';

create or replace function pgflow_realtime.start_counter(p_run_id uuid)
returns bigint
language sql
security definer
set search_path = ''
as $$
  insert into pgflow_realtime.run_seq as counter (run_id, seq)
  values (p_run_id, pgflow_realtime.seq_from_clock())
  on conflict (run_id) do update set seq = counter.seq + 1
  returning counter.seq;
$$;
comment on function pgflow_realtime.start_counter(uuid) is
  'The next seq of a run that has no counter.';

create or replace function pgflow_realtime.next_seq(p_run_id uuid)
returns bigint
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_seq bigint;
begin
  -- The row stays locked until commit, which puts seq in commit order. Every session that changes a
  -- run or its steps holds the run's own row already, so this adds no waiting. Counted outside of
  -- the exception block: a broadcast that is lost then shows as a gap.
  update pgflow_realtime.run_seq as counter
  set seq = counter.seq + 1
  where counter.run_id = p_run_id
  returning counter.seq into v_seq;
  return coalesce(v_seq, pgflow_realtime.start_counter(p_run_id));
end;
$$;
comment on function pgflow_realtime.next_seq(uuid) is 'Counts one more event of a run.';

create or replace function pgflow_realtime.broadcast(
  p_run_id uuid, p_event text, p_payload jsonb, p_state jsonb default null
)
returns bigint
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_seq bigint := pgflow_realtime.next_seq(p_run_id);
  v_event text := p_event;
  v_payload jsonb := p_payload || jsonb_build_object('run_id', p_run_id, 'seq', v_seq);
begin
  if p_state is not null and pgflow_realtime.step_event_prefix() <> '' then
    v_payload := v_payload || pgflow_realtime.fields_of_pgflow(p_state);
    -- pgflow never sends that a step is created, and its client throws on such an event: this one
    -- keeps the name without the prefix, which that client ignores.
    if p_state ->> 'status' <> 'created' then
      v_event := pgflow_realtime.step_event_prefix() || p_event;
    end if;
  end if;
  perform pgflow_realtime.send_event('pgflow:run:' || p_run_id, v_event, v_payload);
  return v_seq;
end;
$$;
comment on function pgflow_realtime.broadcast(uuid, text, jsonb, jsonb) is
  'Sends one event of a run on its channel pgflow:run:<run_id> with the next seq, which it returns. For an event of a step, p_state is its row as JSON.';

create or replace function pgflow_realtime.fields_of_pgflow(p_state jsonb)
returns jsonb
language sql
immutable
set search_path = ''
as $$
  select jsonb_build_object(
    'flow_slug', p_state -> 'flow_slug',
    'remaining_tasks', p_state -> 'remaining_tasks',
    'remaining_deps', p_state -> 'remaining_deps'
  );
$$;
comment on function pgflow_realtime.fields_of_pgflow(jsonb) is
  'What pgflow''s own broadcast of a step has besides: whoever asks for its names gets these too.';
