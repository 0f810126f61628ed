-- Errors carry PostgREST's custom codes: SQLSTATE PTxyz becomes HTTP status xyz.
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

  if p_input is null or jsonb_typeof(p_input) = 'null' then
    raise exception using
      errcode = 'PT422',
      message = format('The input of the flow "%s" is missing.', p_flow_slug),
      detail = 'p_input is null, and a run needs an input.',
      hint = 'Pass the flow''s input, or {} for a flow that needs none.';
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
        -- Another session started it meanwhile and has committed. If not, the error is another's.
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
begin
  perform pgflow_realtime.check_start(p_flow_slug, p_input);
  v_run_id := pgflow_realtime.start_once(p_flow_slug, p_input, p_run_id);
  -- A run of empty maps is over at once. Its end is broadcast now rather than at commit, so that
  -- the seq below counts it.
  set constraints pgflow.pinia_pgflow_run_change immediate;
  set constraints pgflow.pinia_pgflow_run_change deferred;
  return query select * from pgflow_realtime.snapshots(array[v_run_id]);
end;
$$;
comment on function pgflow_client.start_flow_with_states(text, jsonb, uuid) is
  'Starts a flow and returns its run, its steps and the seq they are true at. Repeating a start with the same run id returns the run that exists.';
