-- Called by `npx pinia-pgflow doctor`. From outside, the database cannot be inspected, and a test
-- run would start one of the project's flows.
create or replace function pgflow_realtime.why_not_stored(p_topic text)
returns text
language plpgsql
security definer
set search_path = ''
as $$
begin
  insert into realtime.messages (topic, extension, event, payload, private)
  values (p_topic, 'broadcast', 'self_test', '{}'::jsonb, pgflow_realtime.is_private());
  -- Undoes the test. realtime.send itself would hide the error.
  raise exception using errcode = 'PT200', message = 'It can be stored.';
exception
  when others then
    return nullif(sqlstate, 'PT200');
end;
$$;
comment on function pgflow_realtime.why_not_stored(text) is
  'The SQLSTATE with which Postgres refuses to store a broadcast; null where it takes it.';

create or replace function pgflow_realtime.startable_flows(p_role name)
returns setof text
language sql
stable
security definer
set search_path = ''
as $$
  select flow.flow_slug
  from pgflow.flows as flow
  join pgflow_realtime.allowed_starts as allowed on allowed.flow_slug = flow.flow_slug
  where allowed.role_name = p_role
  order by flow.flow_slug;
$$;
comment on function pgflow_realtime.startable_flows(name) is
  'The flows there are that the role may start.';

create or replace function pgflow_client.self_test(p_id uuid default null)
returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_sees_all constant boolean := pgflow_realtime.sees_everything();
  v_topic constant text := 'pgflow:self-test:' || p_id;
  v_realtime_topic constant text := current_setting('realtime.topic', true);
  -- If runs are private, a caller who is not signed in can start none, and sends nothing here
  -- either.
  v_sends constant boolean := p_id is not null
    and (v_sees_all or not pgflow_realtime.is_private() or pgflow_realtime.caller_id() is not null);
  v_refused text;
begin
  if v_sends then
    v_refused := pgflow_realtime.why_not_stored(v_topic);
    perform pgflow_realtime.send_event(v_topic, 'self_test', jsonb_build_object('self_test', p_id));
    perform set_config('realtime.topic', coalesce(v_realtime_topic, ''), true);
  end if;
  return jsonb_build_object(
    'version', pgflow_realtime.version(),
    'visibility', case when pgflow_realtime.is_private() then 'private' else 'public' end,
    'role', pgflow_realtime.caller_role(),
    'signed_in', pgflow_realtime.caller_id() is not null,
    'clock_ms', floor(extract(epoch from clock_timestamp()) * 1000),
    'sent', v_sends,
    'refused', v_refused,
    'may_send', pgflow_realtime.cannot_send() is null,
    'pgflow_sending', (select count(*) from pgflow_realtime.functions_still_sending()),
    'flows', case
      when v_sees_all then (
        select coalesce(jsonb_agg(flow.flow_slug order by flow.flow_slug), '[]'::jsonb)
        from pgflow.flows as flow
      )
      else to_jsonb(array(select pgflow_realtime.startable_flows(pgflow_realtime.caller_role())))
    end,
    'flow_count', (select count(*) from pgflow.flows),
    'startable', jsonb_build_object(
      'anon', (select count(*) from pgflow_realtime.startable_flows('anon')),
      'authenticated', (select count(*) from pgflow_realtime.startable_flows('authenticated'))
    ),
    'problem_count', (select count(*) from pgflow_realtime.problems()),
    'problems', case when v_sees_all then to_jsonb(array(select pgflow_realtime.problems())) end
  );
end;
$$;
comment on function pgflow_client.self_test(uuid) is
  'What npx pinia-pgflow doctor reports. With an id it sends one message, {"self_test": id}, on the channel pgflow:self-test:<id>.';

create or replace function pgflow_client.self_test_rows()
returns setof integer
language sql
stable
rows 100
set search_path = ''
as $$
  select generate_series(1, 100);
$$;
comment on function pgflow_client.self_test_rows() is
  '100 rows, the largest page of a list: fewer arrive where the project limits the rows of a reply further.';
