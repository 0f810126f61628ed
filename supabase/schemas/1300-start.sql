-- Errors carry PostgREST's custom codes: SQLSTATE PTxyz becomes HTTP status xyz.
create or replace function pgflow_realtime.check_input(p_flow_slug text, p_input jsonb)
returns void
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_long_numbers bigint;
  v_is_impossible boolean;
begin
  if p_input is null or jsonb_typeof(p_input) = 'null' then
    raise exception using
      errcode = 'PT422',
      message = format('The input of the flow "%s" is missing.', p_flow_slug),
      detail = 'p_input is null, and a run needs an input.',
      hint = 'Pass the flow''s input, or {} for a flow that needs none.';
  end if;

  -- All of this without converting it to text: a number of ten bytes can be text of 131,000.
  if pg_column_size(p_input) > pgflow_realtime.max_input_bytes() then
    perform pgflow_realtime.refuse_large_input(p_flow_slug, pg_column_size(p_input));
  end if;
  begin
    -- Numbers whose text is much longer than they are. Strict, since lax mode visits arrays twice.
    select count(*), bool_or(abs(number.value) > 1.7976931348623157e308 or abs(number.value) < 4.9e-324)
    into v_long_numbers, v_is_impossible
    from jsonb_path_query(p_input,
      'strict $.** ? (@.type() == "number" && (@ > 1e30 || @ < -1e30 || @ < 1e-30 && @ > -1e-30 && @ != 0))'
    ) as hit, lateral (select hit::numeric) as number (value);
  exception
    when statement_too_complex then
      raise exception using
        errcode = 'PT422',
        message = format('The input of the flow "%s" is nested too deeply.', p_flow_slug),
        detail = 'Its arrays and objects are inside each other further than the database can follow.',
        hint = 'Pass a flatter input.';
  end;
  if v_is_impossible then
    raise exception using
      errcode = 'PT422',
      message = format('The input of the flow "%s" has a number that cannot be represented.', p_flow_slug),
      detail = 'A number in p_input is beyond what a double-precision number holds, about 1.8e308 and 4.9e-324.',
      hint = 'Pass such a number as text.';
  end if;
  -- Each takes up to 330 characters as text.
  if pg_column_size(p_input) + v_long_numbers * 330 > pgflow_realtime.max_input_bytes() then
    perform pgflow_realtime.refuse_large_input(p_flow_slug, pg_column_size(p_input) + v_long_numbers * 330);
  end if;

  if jsonb_typeof(p_input) <> 'array' and exists (
    select 1
    from pgflow.steps as step
    where step.flow_slug = p_flow_slug
      and step.deps_count = 0
      and to_jsonb(step) ->> 'step_type' = 'map'
  ) then
    raise exception using
      errcode = 'PT422',
      message = format('The input of the flow "%s" must be an array.', p_flow_slug),
      detail = format('Its first step is a map over the input, and p_input is of type %s.',
        jsonb_typeof(p_input)),
      hint = 'Pass an array: the flow runs one task for each of its elements.';
  end if;
end;
$$;
comment on function pgflow_realtime.check_input(text, jsonb) is
  'Raises PT422 when a flow cannot be started with this input.';

create or replace function pgflow_realtime.refuse_large_input(p_flow_slug text, p_bytes bigint)
returns void
language plpgsql
immutable
set search_path = ''
as $$
begin
  raise exception using
    errcode = 'PT422',
    message = format('The input of the flow "%s" is too large.', p_flow_slug),
    detail = format('It takes %s bytes, and max_input_bytes is %s.', p_bytes, pgflow_realtime.max_input_bytes()),
    hint = 'Put what is large elsewhere (Supabase Storage, a table) and pass where it is; or raise the limit: select pgflow_realtime.set_max_input_bytes(…).';
end;
$$;
comment on function pgflow_realtime.refuse_large_input(text, bigint) is
  'Raises PT422 for an input that is larger than max_input_bytes.';

create or replace function pgflow_realtime.check_start(p_flow_slug text, p_input jsonb)
returns void
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  if not exists (select 1 from pgflow.flows as flow where flow.flow_slug = p_flow_slug) then
    raise exception using
      errcode = 'PT404',
      message = format('There is no flow "%s".', p_flow_slug),
      detail = 'No flow of that slug is in pgflow.flows.',
      hint = 'Check the spelling, and that the flow''s migration has run or its worker has started.';
  end if;

  if pgflow_realtime.is_private()
    and pgflow_realtime.caller_id() is null
    and not pgflow_realtime.sees_everything() then
    raise exception using
      errcode = 'PT401',
      message = format('Sign in to start the flow "%s".', p_flow_slug),
      detail = 'Runs are private: only the user who started one can read it, and nobody is signed in.',
      hint = 'Sign in first (an anonymous sign-in will do), then start the flow again.';
  end if;

  if not pgflow_realtime.may_start(p_flow_slug) then
    raise exception using
      errcode = 'PT403',
      message = format('The role "%s" may not start the flow "%s".',
        pgflow_realtime.caller_role(), p_flow_slug),
      detail = 'No flow can be started over the API until the database owner allows it.',
      hint = format('Allow it in a migration: select pgflow_client.allow_start(%L, %L);',
        p_flow_slug, pgflow_realtime.caller_role());
  end if;

  perform pgflow_realtime.check_input(p_flow_slug, p_input);
end;
$$;
comment on function pgflow_realtime.check_start(text, jsonb) is
  'Raises PT404, PT401, PT403 or PT422 when the caller cannot start the flow with this input.';

create or replace function pgflow_realtime.is_started(p_run_id uuid, p_flow_slug text, p_input jsonb)
returns boolean
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_run pgflow.runs%rowtype;
begin
  select * into v_run from pgflow.runs as run where run.run_id = p_run_id;
  if not found then
    return false;
  end if;
  if v_run.flow_slug <> p_flow_slug
    or v_run.input <> p_input
    or not pgflow_realtime.may_read(p_run_id) then
    raise exception using
      errcode = 'PT409',
      message = format('The run id %s is taken.', p_run_id),
      detail = 'A run of that id was started with another flow or input, or by another user.',
      hint = 'Make a new run id for each run; use one again only to repeat the very same start.';
  end if;
  return true;
end;
$$;
comment on function pgflow_realtime.is_started(uuid, text, jsonb) is
  'Whether this very start happened before; raises PT409 when its run id belongs to another.';

create or replace function pgflow_realtime.start_once(p_flow_slug text, p_input jsonb, p_run_id uuid)
returns uuid
language plpgsql
security definer
set search_path = ''
as $$
begin
  if p_run_id is null then
    return (select run.run_id from pgflow.start_flow(p_flow_slug, p_input) as run);
  end if;
  if not pgflow_realtime.is_started(p_run_id, p_flow_slug, p_input) then
    begin
      perform pgflow.start_flow(p_flow_slug, p_input, p_run_id);
    exception
      when unique_violation then
        -- Another session has started it meanwhile and committed. If not, the error has another
        -- cause.
        if not pgflow_realtime.is_started(p_run_id, p_flow_slug, p_input) then
          raise;
        end if;
    end;
  end if;
  return p_run_id;
end;
$$;
comment on function pgflow_realtime.start_once(text, jsonb, uuid) is
  'Starts a run, unless the same start already did, and returns its id.';

create or replace function pgflow_client.start_flow_with_states(
  p_flow_slug text, p_input jsonb, p_run_id uuid default null
)
returns table (run jsonb, steps jsonb, seq bigint)
language plpgsql
security definer
set search_path = ''
as $$
declare
  v_run_id uuid;
  v_topic text := current_setting('realtime.topic', true);
begin
  perform pgflow_realtime.check_start(p_flow_slug, p_input);
  v_run_id := pgflow_realtime.start_once(p_flow_slug, p_input, p_run_id);
  -- A run of empty maps ends at once. Its end is broadcast now rather than at commit, so that it is
  -- counted in the seq below.
  set constraints pgflow.pinia_pgflow_run_change immediate;
  set constraints pgflow.pinia_pgflow_run_change deferred;
  -- realtime.send sets the topic that it has sent on, which policies of the project read. It is
  -- restored here: only a superuser may write a `set` clause for this parameter.
  perform set_config('realtime.topic', coalesce(v_topic, ''), true);
  return query select * from pgflow_realtime.snapshots(array[v_run_id]);
end;
$$;
comment on function pgflow_client.start_flow_with_states(text, jsonb, uuid) is
  'Starts a flow and returns its run, its steps and the seq they are true at. Repeating a start with the same run id returns the run that exists.';
