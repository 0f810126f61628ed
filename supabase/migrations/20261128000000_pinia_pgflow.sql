-- pinia-pgflow: broadcasts every change of pgflow runs and steps over Supabase Realtime, and the
-- functions an application calls to start and read runs.
--
-- GENERATED from supabase/schemas/*.sql by scripts/build-migration.ts: change those, then run
-- "npm run migration".
--
-- To install: copy this file into your project's supabase/migrations/ after pgflow's own, apply it
-- ("supabase db push", or "psql -1 -v ON_ERROR_STOP=1 -f" as the database owner), expose the schema
-- pgflow_client (config.toml, or Project Settings, Data API), and allow each flow once:
--   select pgflow_client.allow_start('my_flow', 'authenticated');
-- It can be run again at any time, also while workers run flows, which is how it is upgraded; do so
-- after upgrading pgflow. What is as it should be is left alone.

-- 0100-prerequisites.sql --------------------------------------------------------------------------

-- Refuses to install if something that it depends on is missing. The schemas are created in the
-- same statement, and everything after it needs them: a runner that continues after an error
-- therefore installs nothing.
do $$
declare
  v_missing text;
begin
  v_missing := case
    when to_regclass('pgflow.runs') is null then 'the table pgflow.runs'
    when to_regclass('pgflow.step_states') is null then 'the table pgflow.step_states'
    when to_regclass('pgflow.step_tasks') is null then 'the table pgflow.step_tasks'
    when not exists (
      select 1
      from pg_catalog.pg_attribute as attribute
      where attribute.attrelid = to_regclass('pgflow.step_states')
        and attribute.attname = 'error_message'
    ) then 'the column error_message of pgflow.step_states'
  end;
  if v_missing is not null then
    raise exception using
      errcode = 'object_not_in_prerequisite_state',
      message = 'pinia-pgflow needs pgflow 0.4 or newer, and this database does not have '
        || v_missing || '.',
      hint = 'Install or upgrade pgflow first (https://www.pgflow.dev), then run this migration '
        'again. Nothing was changed.';
  end if;

  if to_regprocedure('realtime.send(jsonb, text, text, boolean)') is null then
    raise exception using
      errcode = 'object_not_in_prerequisite_state',
      message = 'pinia-pgflow needs Supabase Realtime, and this database does not have the '
        'function realtime.send(payload, event, topic, private).',
      hint = 'Run this migration in a Supabase project whose Realtime service is on and up to '
        'date. Nothing was changed.';
  end if;

  create schema if not exists pgflow_client;
  create schema if not exists pgflow_realtime;
end;
$$;

comment on schema pgflow_client is
  'pinia-pgflow: the functions an application calls. The only one of its schemas to expose over the API.';
comment on schema pgflow_realtime is
  'pinia-pgflow: broadcasts every change of pgflow runs and steps. Internal; not for the API.';

do $migration$
begin
  if to_regprocedure('pgflow_realtime.installed()') is not null
    and to_regprocedure('pgflow_realtime.fingerprint()') is not null then
    -- The first is of this file, the second of what it made in this database.
    if pgflow_realtime.installed() = 'a187f14f5e9bc892 ' || pgflow_realtime.fingerprint() then
      return;
    end if;
  end if;

  execute $definitions$
-- 0200-tables.sql ---------------------------------------------------------------------------------

-- The tables. None refers to pgflow's: a foreign key would prevent `truncate`, and would require a
-- restore to load the tables in one order. Triggers on pgflow.runs clear them instead.

-- Narrow rows with free space on their pages, so that counting is an in-place update.
create table if not exists pgflow_realtime.run_seq (
  run_id uuid primary key,
  seq bigint not null,
  error_message text
) with (fillfactor = 50);
comment on table pgflow_realtime.run_seq is
  'One row a run: the seq of its last broadcast, and the error that its run:failed had.';

create table if not exists pgflow_realtime.run_owners (
  run_id uuid primary key,
  owner text not null,
  started_at timestamptz not null
);
comment on table pgflow_realtime.run_owners is
  'The signed-in user who started a run; no row for a run that nobody signed in started.';
do $$
begin
  -- Checked first: `create index if not exists` would wait for everyone who writes to the table.
  if to_regclass('pgflow_realtime.run_owners_newest') is null then
    create index run_owners_newest
    on pgflow_realtime.run_owners (owner, started_at desc, run_id desc);
  end if;
end;
$$;

-- No reference to pgflow.flows either: a worker may create the flow after the migration that allows
-- its start, and may create it again.
create table if not exists pgflow_realtime.allowed_starts (
  flow_slug text not null,
  role_name name not null,
  primary key (flow_slug, role_name)
);
comment on table pgflow_realtime.allowed_starts is
  'Which role may start which flow over the API; see pgflow_client.allow_start().';

create or replace function pgflow_realtime.merge_counter()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  update pgflow_realtime.run_seq as counter
  set seq = greatest(counter.seq, new.seq),
    error_message = coalesce(new.error_message, counter.error_message)
  where counter.run_id = new.run_id;
  if found then
    return null;
  end if;
  return new;
end;
$$;
comment on function pgflow_realtime.merge_counter() is
  'Lets a restore load counters of runs whose insertion was counted already.';
create or replace function pgflow_realtime.forget_deleted_runs()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  -- An array: joined to the table of deleted rows, ours would be read from end to end.
  v_run_ids uuid[] := array(select gone.run_id from gone);
begin
  delete from pgflow_realtime.run_seq where run_id = any (v_run_ids);
  delete from pgflow_realtime.run_owners where run_id = any (v_run_ids);
  return null;
end;
$$;
comment on function pgflow_realtime.forget_deleted_runs() is
  'Removes what is kept beside runs that were deleted.';

create or replace function pgflow_realtime.forget_all_runs()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  truncate pgflow_realtime.run_seq, pgflow_realtime.run_owners;
  return null;
end;
$$;
comment on function pgflow_realtime.forget_all_runs() is
  'Removes what is kept beside runs when pgflow.runs is truncated.';

-- 0300-settings.sql -------------------------------------------------------------------------------

-- A setting is an immutable function without arguments: Postgres puts its value into every plan
-- that reads it, and plans again when the function is replaced. Reading one costs nothing, and as a
-- part of the schema it cannot be missing.
--
-- They have no search_path of their own, which would prevent that. They need none: each is a
-- constant and names nothing.
create or replace function pgflow_realtime.put_constant(
  p_name name, p_type regtype, p_value text, p_comment text
)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_body text := format('select %L::%s', p_value, p_type);
begin
  if exists (
    select 1
    from pg_catalog.pg_proc as proc
    where proc.pronamespace = 'pgflow_realtime'::regnamespace
      and proc.proname = p_name
      and proc.prosrc = v_body
      and proc.provolatile = 'i'
  ) then
    return;
  end if;
  execute format(
    'create or replace function pgflow_realtime.%I() returns %s language sql immutable parallel safe as %L',
    p_name, p_type, v_body
  );
  execute format('comment on function pgflow_realtime.%I() is %L', p_name, p_comment);
  -- Set in the definition: the installing role may have default privileges for functions.
  execute format(
    'revoke all on function pgflow_realtime.%I() from public, anon, authenticated, service_role', p_name
  );
end;
$$;
comment on function pgflow_realtime.put_constant(name, regtype, text, text) is
  'Makes a function that returns a constant, or leaves it alone where it does already.';

create or replace function pgflow_realtime.put_setting(p_name name, p_value text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  -- If two sessions replace one function at once, the later would fail.
  perform pgflow_realtime.take_turn();
  case p_name
    when 'max_payload_bytes' then
      perform pgflow_realtime.put_constant(p_name, 'integer'::regtype, p_value,
        'Setting: a broadcast larger than this loses its output and input. Supabase drops larger ones silently (256 kB on the free plan).');
    when 'max_input_bytes' then
      perform pgflow_realtime.put_constant(p_name, 'integer'::regtype, p_value,
        'Setting: a start over the API with an input larger than this is refused.');
    when 'step_event_prefix' then
      perform pgflow_realtime.put_constant(p_name, 'text'::regtype, p_value,
        'Setting: empty, or "step:" for the event names and fields of pgflow''s own broadcasts, which @pgflow/client expects.');
    when 'is_private' then
      perform pgflow_realtime.put_constant(p_name, 'boolean'::regtype, p_value,
        'Setting: whether a run is for its owner only.');
  end case;
end;
$$;
comment on function pgflow_realtime.put_setting(name, text) is
  'Changes a setting. What it can be is checked by the set_ function that calls this one.';

create or replace function pgflow_realtime.take_turn()
returns void
language sql
set search_path = ''
as $$
  select pg_advisory_xact_lock(7474273106942133);
$$;
comment on function pgflow_realtime.take_turn() is
  'Waits until no other transaction installs, changes a setting, takes over or gives back.';

do $$
declare
  v_first_edition jsonb;
begin
  if to_regprocedure('pgflow_realtime.step_event_prefix()') is null then
    -- The first edition had them in a row of a table, which a restore without data lost.
    if to_regclass('pgflow_realtime.settings') is not null then
      execute 'select to_jsonb(setting) from pgflow_realtime.settings as setting limit 1'
      into v_first_edition;
    end if;
    perform pgflow_realtime.put_setting('step_event_prefix',
      coalesce(v_first_edition ->> 'step_event_prefix', ''));
    perform pgflow_realtime.put_setting('max_payload_bytes',
      case when v_first_edition ->> 'step_event_prefix' = 'step:'
          and v_first_edition ->> 'max_payload_bytes' = '200000'
        then '3000000'
        else coalesce(v_first_edition ->> 'max_payload_bytes', '200000')
      end);
    perform pgflow_realtime.put_setting('is_private',
      (coalesce(v_first_edition ->> 'visibility', 'public') = 'private')::text);
  end if;
  if to_regprocedure('pgflow_realtime.max_input_bytes()') is null then
    perform pgflow_realtime.put_setting('max_input_bytes', '1000000');
  end if;
end;
$$;

create or replace function pgflow_realtime.check_setting(
  p_name text, p_value text, p_is_possible boolean, p_hint text
)
returns void
language plpgsql
immutable
set search_path = ''
as $$
begin
  if p_is_possible is not true then
    raise exception using
      errcode = 'invalid_parameter_value',
      message = format('%s cannot be %s.', p_name, coalesce(p_value, 'null')),
      hint = p_hint;
  end if;
end;
$$;
comment on function pgflow_realtime.check_setting(text, text, boolean, text) is
  'Raises where a setting cannot have a value, and says what it can be.';

create or replace function pgflow_realtime.set_max_payload_bytes(p_bytes integer)
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform pgflow_realtime.check_setting('max_payload_bytes', p_bytes::text,
    p_bytes between 1000 and 3000000,
    'Set it between 1000 and 3000000, below the limit of your Supabase plan: 256 kB on the free plan, 3000 kB on Pro.');
  perform pgflow_realtime.put_setting('max_payload_bytes', p_bytes::text);
end;
$$;
comment on function pgflow_realtime.set_max_payload_bytes(integer) is
  'Sets the size over which a broadcast loses its output and input.';

create or replace function pgflow_realtime.set_max_input_bytes(p_bytes integer)
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform pgflow_realtime.check_setting('max_input_bytes', p_bytes::text,
    p_bytes between 1000 and 100000000,
    'Set it between 1000 and 100000000 (100 MB).');
  perform pgflow_realtime.put_setting('max_input_bytes', p_bytes::text);
end;
$$;
comment on function pgflow_realtime.set_max_input_bytes(integer) is
  'Sets the size over which the input of a start over the API is refused.';

create or replace function pgflow_realtime.set_step_event_prefix(p_prefix text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform pgflow_realtime.check_setting('step_event_prefix', quote_literal(p_prefix),
    p_prefix in ('', 'step:'),
    'Set it to '''' (the default) or to ''step:'' (as pgflow''s own broadcasts).');
  -- @pgflow/client does not read what was left out, so with it the limit is Realtime's own, unless
  -- another was set.
  if p_prefix = 'step:' and pgflow_realtime.max_payload_bytes() = 200000 then
    perform pgflow_realtime.put_setting('max_payload_bytes', '3000000');
  elsif p_prefix = '' and pgflow_realtime.max_payload_bytes() = 3000000 then
    perform pgflow_realtime.put_setting('max_payload_bytes', '200000');
  end if;
  perform pgflow_realtime.put_setting('step_event_prefix', p_prefix);
end;
$$;
comment on function pgflow_realtime.set_step_event_prefix(text) is
  'Chooses the names of step events: <step_slug>:<change>, or step:<step_slug>:<change> with the fields of pgflow''s own broadcasts.';

create or replace function pgflow_realtime.has_step_column(p_name name)
returns boolean
language sql
stable
set search_path = ''
as $$
  select exists (
    select 1
    from pg_catalog.pg_attribute as attribute
    where attribute.attrelid = 'pgflow.step_states'::regclass
      and attribute.attname = p_name
      and not attribute.attisdropped
  );
$$;
comment on function pgflow_realtime.has_step_column(name) is
  'Whether this version of pgflow has the column in step_states.';

create or replace function pgflow_realtime.note_pgflow_version()
returns void
language sql
set search_path = ''
as $$
  select pgflow_realtime.put_constant('has_map_steps', 'boolean'::regtype,
    pgflow_realtime.has_step_column('initial_tasks')::text,
    'Whether pgflow has map steps (0.7 and newer), as of the last installation.');
  select pgflow_realtime.put_constant('has_step_outputs', 'boolean'::regtype,
    pgflow_realtime.has_step_column('output')::text,
    'Whether pgflow keeps the output with the step (0.11 and newer), as of the last installation.');
$$;
comment on function pgflow_realtime.note_pgflow_version() is
  'Notes which columns this version of pgflow has, for the functions that run on every event.';
do $$
begin
  perform pgflow_realtime.note_pgflow_version();
end;
$$;

-- 0400-callers.sql --------------------------------------------------------------------------------

-- Who is calling, and which user a run belongs to.
create or replace function pgflow_realtime.caller_role()
returns name
language sql
stable
set search_path = ''
as $$
  -- The role that `set role` has set, even in `security definer`; otherwise the one that logged in.
  select coalesce(nullif(current_setting('role', true), 'none'), session_user)::name;
$$;
comment on function pgflow_realtime.caller_role() is
  'The role on whose behalf the database works: the one PostgREST switched to, or the one logged in.';

create or replace function pgflow_realtime.caller_id()
returns text
language sql
stable
set search_path = ''
as $$
  -- The result of auth.uid() as text: ids of third-party auth providers are not UUIDs. An empty id
  -- belongs to nobody.
  select coalesce(
    nullif(current_setting('request.jwt.claim.sub', true), ''),
    nullif(nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub', '')
  );
$$;
comment on function pgflow_realtime.caller_id() is 'The id of the signed-in user, or null.';

create or replace function pgflow_realtime.is_database_owner()
returns boolean
language sql
stable
security definer
set search_path = ''
as $$
  -- Inside this function the current user is its owner, the database owner.
  select pg_has_role(pgflow_realtime.caller_role(), current_user, 'member');
$$;
comment on function pgflow_realtime.is_database_owner() is
  'Whether the caller works on the database itself rather than over the API.';

create or replace function pgflow_realtime.sees_everything()
returns boolean
language sql
stable
security definer
set search_path = ''
as $$
  select pgflow_realtime.caller_role() = 'service_role' or pgflow_realtime.is_database_owner();
$$;
comment on function pgflow_realtime.sees_everything() is
  'Whether the caller may read every run: service_role and the database owner.';

create or replace function pgflow_realtime.owns(p_run_id uuid)
returns boolean
language sql
stable
security definer
set search_path = ''
as $$
  select exists (
    select 1
    from pgflow_realtime.run_owners as owned
    where owned.run_id = p_run_id and owned.owner = pgflow_realtime.caller_id()
  );
$$;
comment on function pgflow_realtime.owns(uuid) is 'Whether the caller started the run.';

create or replace function pgflow_realtime.may_read(p_run_id uuid)
returns boolean
language sql
stable
security definer
set search_path = ''
as $$
  select not pgflow_realtime.is_private()
    or pgflow_realtime.sees_everything()
    or pgflow_realtime.owns(p_run_id);
$$;
comment on function pgflow_realtime.may_read(uuid) is
  'Whether the caller may read the run: with visibility "public" whoever knows its id, with "private" its owner.';

-- 0450-starts.sql ---------------------------------------------------------------------------------

-- Who may start which flow over the API.
create or replace function pgflow_client.allow_start(flow_slug text, role name)
returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
  if not exists (select 1 from pg_catalog.pg_roles as known where known.rolname = allow_start.role) then
    raise exception using
      errcode = 'undefined_object',
      message = format('The role "%s" does not exist.', allow_start.role),
      hint = 'Roles of the API are anon, authenticated and service_role.';
  end if;
  if not exists (select 1 from pgflow.flows as flow where flow.flow_slug = allow_start.flow_slug) then
    raise notice 'There is no flow "%" yet; the role "%" may start it once there is.',
      allow_start.flow_slug, allow_start.role;
  end if;
  insert into pgflow_realtime.allowed_starts (flow_slug, role_name)
  values (allow_start.flow_slug, allow_start.role)
  on conflict do nothing;
end;
$$;
comment on function pgflow_client.allow_start(text, name) is
  'Lets a role of the API start a flow: select pgflow_client.allow_start(''my_flow'', ''authenticated''). For the database owner.';

create or replace function pgflow_client.disallow_start(flow_slug text, role name)
returns void
language sql
security definer
set search_path = ''
as $$
  delete from pgflow_realtime.allowed_starts as allowed
  where allowed.flow_slug = disallow_start.flow_slug and allowed.role_name = disallow_start.role;
$$;
comment on function pgflow_client.disallow_start(text, name) is
  'Takes back what pgflow_client.allow_start() allowed. For the database owner.';

create or replace function pgflow_realtime.may_start(p_flow_slug text)
returns boolean
language sql
stable
security definer
set search_path = ''
as $$
  select pgflow_realtime.is_database_owner()
    or exists (
      select 1
      from pgflow_realtime.allowed_starts as allowed
      where allowed.flow_slug = p_flow_slug and allowed.role_name = pgflow_realtime.caller_role()
    );
$$;
comment on function pgflow_realtime.may_start(text) is
  'Whether the caller may start the flow: as pgflow_client.allow_start() says, or as the database owner.';

-- 0500-rows.sql -----------------------------------------------------------------------------------

-- A run and its steps as a client receives them, in snapshots, lists and broadcasts alike. Rows are
-- read as JSON, since some columns exist only in some versions of pgflow. The time zone is fixed so
-- that one instant is always the same text.
create or replace function pgflow_realtime.step_output(p_state jsonb)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_run_id uuid := p_state ->> 'run_id';
  v_step_slug text := p_state ->> 'step_slug';
  v_is_map boolean := false;
begin
  if p_state ->> 'status' <> 'completed' then
    return null;
  end if;

  -- pgflow 0.11 and newer store it with the step.
  if p_state ? 'output' then
    return p_state -> 'output';
  end if;

  -- pgflow 0.7 introduced map steps, and initial_tasks with them.
  if p_state ? 'initial_tasks' then
    select step.step_type = 'map' into v_is_map
    from pgflow.steps as step
    where step.flow_slug = p_state ->> 'flow_slug' and step.step_slug = v_step_slug;
  end if;
  if v_is_map then
    return (
      select coalesce(jsonb_agg(task.output order by task.task_index), '[]'::jsonb)
      from pgflow.step_tasks as task
      where task.run_id = v_run_id and task.step_slug = v_step_slug and task.status = 'completed'
    );
  end if;
  return (
    select task.output
    from pgflow.step_tasks as task
    where task.run_id = v_run_id and task.step_slug = v_step_slug and task.status = 'completed'
    limit 1
  );
end;
$$;
comment on function pgflow_realtime.step_output(jsonb) is
  'The output of a completed step, given its row as JSON: of its only task, or of a map step''s tasks in order. Null for any other step.';

create or replace function pgflow_realtime.step_projection(p_state jsonb)
returns jsonb
language sql
stable
security definer
set search_path = ''
set timezone = 'UTC'
as $$
  select jsonb_build_object(
    'step_slug', p_state -> 'step_slug',
    'status', p_state -> 'status',
    'output', pgflow_realtime.step_output(p_state),
    'error_message', p_state -> 'error_message',
    'initial_tasks', p_state -> 'initial_tasks',
    'started_at', p_state -> 'started_at',
    'completed_at', p_state -> 'completed_at',
    'failed_at', p_state -> 'failed_at',
    'skip_reason', p_state -> 'skip_reason',
    'skipped_at', p_state -> 'skipped_at'
  );
$$;
comment on function pgflow_realtime.step_projection(jsonb) is
  'What a client knows of a step, given its row as JSON.';

create or replace function pgflow_realtime.step_retry(p_state jsonb)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  if p_state ->> 'status' <> 'started' then
    return null;
  end if;
  return (
    select jsonb_build_object(
      'task_index', task.task_index,
      -- For a task under way, the current attempt has not failed.
      'attempts_count', task.attempts_count - (task.status = 'started')::integer,
      'error_message', task.error_message
    )
    from pgflow.step_tasks as task
    where task.run_id = (p_state ->> 'run_id')::uuid
      and task.step_slug = p_state ->> 'step_slug'
      and (
        task.status = 'queued' and task.attempts_count > 0
        or task.status = 'started' and task.attempts_count > 1
      )
    order by task.attempts_count desc, task.task_index
    limit 1
  );
end;
$$;
comment on function pgflow_realtime.step_retry(jsonb) is
  'Of a step under way, the task that was tried most often and is tried again, as its :retrying has it; null where none is.';

create or replace function pgflow_realtime.run_projection(p_run jsonb, p_error_message text)
returns jsonb
language sql
immutable
set search_path = ''
as $$
  select jsonb_build_object(
    'run_id', p_run -> 'run_id',
    'flow_slug', p_run -> 'flow_slug',
    'status', p_run -> 'status',
    'input', p_run -> 'input',
    'output', p_run -> 'output',
    'error_message', case when p_run ->> 'status' = 'failed' then p_error_message end,
    'remaining_steps', p_run -> 'remaining_steps',
    'started_at', p_run -> 'started_at',
    'completed_at', p_run -> 'completed_at',
    'failed_at', p_run -> 'failed_at'
  );
$$;
comment on function pgflow_realtime.run_projection(jsonb, text) is
  'What a client knows of a run, given its row as JSON and the error it failed with.';

create or replace function pgflow_realtime.failed_step_error(p_run_id uuid)
returns text
language sql
stable
security definer
set search_path = ''
as $$
  -- Several steps can fail at nearly the same time: the one that failed the run has the run's time.
  select to_jsonb(state) ->> 'error_message'
  from pgflow.step_states as state
  join pgflow.runs as run on run.run_id = state.run_id
  where state.run_id = p_run_id and state.status = 'failed'
  order by (state.failed_at is not distinct from run.failed_at) desc, state.failed_at, state.step_slug
  limit 1;
$$;
comment on function pgflow_realtime.failed_step_error(uuid) is
  'The error message of the step that failed a run.';

-- For a run without a counter: it is older than the installation, or the counter was lost in a
-- restore or when pinia-pgflow was uninstalled and installed again. Its seq continues above every
-- one that it can have had, so that clients see a gap: from the clock, in milliseconds, which no
-- counter reaches.
create or replace function pgflow_realtime.seq_from_clock()
returns bigint
language sql
volatile
set search_path = ''
as $$
  select floor(extract(epoch from clock_timestamp()) * 1000)::bigint;
$$;
comment on function pgflow_realtime.seq_from_clock() is
  'Where the counter of a run begins that should have had one.';

create or replace function pgflow_realtime.seq_without_counter()
returns bigint
language sql
stable
set search_path = ''
as $$
  -- An hour in the past, so that it is below a seq that was counted and is not committed yet; and
  -- equal for 17 minutes, so that repeated requests show no change.
  select (floor(extract(epoch from statement_timestamp() - interval '1 hour') * 1000)::bigint >> 20) << 20;
$$;
comment on function pgflow_realtime.seq_without_counter() is
  'The seq in a snapshot of a run that has no counter: above all it had, below all it will have.';

create or replace function pgflow_realtime.run_row(p_run pgflow.runs, p_error_message text)
returns jsonb
language sql
stable
security definer
set search_path = ''
set timezone = 'UTC'
as $$
  select to_jsonb(p_run) || pgflow_realtime.run_projection(
    to_jsonb(p_run),
    case when (p_run).status = 'failed'
      then coalesce(p_error_message, pgflow_realtime.failed_step_error((p_run).run_id))
    end
  );
$$;
comment on function pgflow_realtime.run_row(pgflow.runs, text) is
  'A run as snapshots and lists have it: the row of pgflow.runs, and the error it failed with, given the one that was kept.';

create or replace function pgflow_realtime.step_row(p_state pgflow.step_states, p_step_index integer)
returns jsonb
language sql
stable
security definer
set search_path = ''
set timezone = 'UTC'
as $$
  select state.row || pgflow_realtime.step_projection(state.row) || jsonb_build_object(
    'step_index', p_step_index,
    'retry', pgflow_realtime.step_retry(state.row)
  )
  from (select to_jsonb(p_state)) as state (row);
$$;
comment on function pgflow_realtime.step_row(pgflow.step_states, integer) is
  'A step as snapshots have it: the row of pgflow.step_states with its output, its place in the flow, and its retry.';

create or replace function pgflow_realtime.snapshots(p_run_ids uuid[])
returns table (run jsonb, steps jsonb, seq bigint)
language sql
stable
security definer
set search_path = ''
as $$
  -- One statement over stable functions: all of it is read at the same moment.
  select
    pgflow_realtime.run_row(r, counter.error_message),
    (
      select coalesce(
        jsonb_agg(pgflow_realtime.step_row(state, step.step_index) order by state.step_slug),
        '[]'::jsonb
      )
      from pgflow.step_states as state
      left join pgflow.steps as step
        on step.flow_slug = state.flow_slug and step.step_slug = state.step_slug
      where state.run_id = r.run_id
    ),
    coalesce(counter.seq, pgflow_realtime.seq_without_counter())
  from pgflow.runs as r
  -- One index scan for each run, however many runs there are.
  left join lateral (
    select of_run.* from pgflow_realtime.run_seq as of_run where of_run.run_id = r.run_id offset 0
  ) as counter on true
  where r.run_id = any (p_run_ids)
    and (
      not pgflow_realtime.is_private()
      or (select pgflow_realtime.sees_everything())
      or pgflow_realtime.owns(r.run_id)
    );
$$;
comment on function pgflow_realtime.snapshots(uuid[]) is
  'Runs, each with its steps ordered by slug and the seq they are true at; no row for a run that is unknown or not for the caller.';

-- 0600-broadcast.sql ------------------------------------------------------------------------------

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

-- 0700-step-events.sql ----------------------------------------------------------------------------

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

-- 0800-run-events.sql -----------------------------------------------------------------------------

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

-- 1000-triggers.sql -------------------------------------------------------------------------------

-- When the functions above run, and how triggers are replaced while workers run.
create or replace function pgflow_realtime.expected_triggers()
returns table (relation regclass, name name, definition text)
language sql
stable
set search_path = ''
as $$
  -- Written as Postgres writes them, so that existing ones can be compared. `of column`: a `when`
  -- clause is prepared for every statement that updates a row, while a column that is not set costs
  -- nothing. pgflow always sets the status together with what belongs to it.
  select ('pgflow.' || expected.relation)::regclass, expected.name, expected.definition
  from (values
    ('runs', 'pinia_pgflow_run_insert',
      'CREATE TRIGGER pinia_pgflow_run_insert AFTER INSERT ON pgflow.runs FOR EACH ROW EXECUTE FUNCTION pgflow_realtime.on_run_insert()'),
    -- Deferred: pgflow sometimes fails a run one statement before it fails the step that is the
    -- reason, and a client should receive the end of a run last.
    ('runs', 'pinia_pgflow_run_change',
      'CREATE CONSTRAINT TRIGGER pinia_pgflow_run_change AFTER UPDATE OF status, started_at, completed_at, failed_at ON pgflow.runs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((old.status <> new.status) OR (old.failed_at IS DISTINCT FROM new.failed_at) OR (old.completed_at IS DISTINCT FROM new.completed_at) OR (old.started_at IS DISTINCT FROM new.started_at))) EXECUTE FUNCTION pgflow_realtime.on_run_update()'),
    ('runs', 'pinia_pgflow_run_delete',
      'CREATE TRIGGER pinia_pgflow_run_delete AFTER DELETE ON pgflow.runs REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION pgflow_realtime.forget_deleted_runs()'),
    ('runs', 'pinia_pgflow_run_truncate',
      'CREATE TRIGGER pinia_pgflow_run_truncate AFTER TRUNCATE ON pgflow.runs FOR EACH STATEMENT EXECUTE FUNCTION pgflow_realtime.forget_all_runs()'),
    ('step_states', 'pinia_pgflow_step_update',
      'CREATE TRIGGER pinia_pgflow_step_update AFTER UPDATE OF status, started_at, completed_at, failed_at ON pgflow.step_states FOR EACH ROW EXECUTE FUNCTION pgflow_realtime.on_step_update'
      || case when pgflow_realtime.has_step_column('initial_tasks') then '' else '_before_maps' end
      || '()'),
    -- pgflow creates steps as "created"; a client receives these in the snapshot.
    ('step_states', 'pinia_pgflow_step_insert',
      'CREATE TRIGGER pinia_pgflow_step_insert AFTER INSERT ON pgflow.step_states FOR EACH ROW WHEN ((new.status <> ''created''::text)) EXECUTE FUNCTION pgflow_realtime.on_step_insert()'),
    -- A task that failed has an error message; one that stalled is counted (pgflow 0.14).
    ('step_tasks', 'pinia_pgflow_task_retry',
      'CREATE TRIGGER pinia_pgflow_task_retry AFTER UPDATE OF error_message'
      || case when exists (
        select 1
        from pg_catalog.pg_attribute as attribute
        where attribute.attrelid = 'pgflow.step_tasks'::regclass
          and attribute.attname = 'requeued_count'
          and not attribute.attisdropped
      ) then ', requeued_count' else '' end
      || ' ON pgflow.step_tasks FOR EACH ROW WHEN (((old.status = ''started''::text) AND (new.status = ''queued''::text))) EXECUTE FUNCTION pgflow_realtime.on_task_retry()')
  ) as expected (relation, name, definition)
  union all
  select 'pgflow_realtime.run_seq'::regclass, 'pinia_pgflow_merge_counter',
    -- Not for rows that a trigger on pgflow's tables inserts: they have no counter yet.
    'CREATE TRIGGER pinia_pgflow_merge_counter BEFORE INSERT ON pgflow_realtime.run_seq FOR EACH ROW WHEN ((pg_trigger_depth() = 0)) EXECUTE FUNCTION pgflow_realtime.merge_counter()';
$$;
comment on function pgflow_realtime.expected_triggers() is
  'The triggers that pinia-pgflow needs, each with its definition as Postgres writes it.';

create or replace function pgflow_realtime.missing_triggers()
returns table (relation regclass, name name, definition text)
language sql
stable
set search_path = ''
as $$
  select expected.relation, expected.name, expected.definition
  from pgflow_realtime.expected_triggers() as expected
  where not exists (
    select 1
    from pg_catalog.pg_trigger as trigger
    where trigger.tgrelid = expected.relation
      and trigger.tgname = expected.name
      and trigger.tgenabled in ('O', 'A')
      and pg_get_triggerdef(trigger.oid) = expected.definition
  );
$$;
comment on function pgflow_realtime.missing_triggers() is
  'Those of the triggers that are not there as they should be.';

create or replace function pgflow_realtime.outdated_parts()
returns setof text
language sql
stable
set search_path = ''
as $$
  -- Unexpected triggers, and the foreign keys of the first edition.
  select format('drop trigger %I on %s', trigger.tgname, trigger.tgrelid::regclass)
  from pg_catalog.pg_trigger as trigger
  where trigger.tgrelid in ('pgflow.runs'::regclass, 'pgflow.step_states'::regclass, 'pgflow.step_tasks'::regclass)
    and trigger.tgname like 'pinia\_pgflow\_%'
    and not exists (
      select 1
      from pgflow_realtime.expected_triggers() as expected
      where expected.relation = trigger.tgrelid and expected.name = trigger.tgname
    )
  union all
  select format('alter table %s drop constraint %I', con.conrelid::regclass, con.conname)
  from pg_catalog.pg_constraint as con
  where con.contype = 'f'
    and con.conrelid in ('pgflow_realtime.run_seq'::regclass, 'pgflow_realtime.run_owners'::regclass);
$$;
comment on function pgflow_realtime.outdated_parts() is
  'The statements that remove what an earlier edition needed.';

create or replace function pgflow_realtime.missing_indexes()
returns setof text
language sql
stable
set search_path = ''
as $$
  -- Snapshots read step_states by run_id. pgflow 0.4 and newer have an index for it; one is created
  -- only if there is none on exactly that column.
  select 'create index idx_step_states_run_only on pgflow.step_states (run_id)'
  where not exists (
    select 1
    from pg_catalog.pg_index as index
    join pg_catalog.pg_attribute as attribute
      on attribute.attrelid = index.indrelid and attribute.attnum = index.indkey[0]
    where index.indrelid = 'pgflow.step_states'::regclass
      and index.indnatts = 1
      and index.indpred is null
      and attribute.attname = 'run_id'
  )
  union all
  -- For service_role, list_runs reads all runs, newest first. No column that changes during a run
  -- is in the index.
  select 'create index pinia_pgflow_runs_newest on pgflow.runs (started_at desc, run_id desc)'
  where to_regclass('pgflow.pinia_pgflow_runs_newest') is null;
$$;
comment on function pgflow_realtime.missing_indexes() is
  'The statements that make the indexes on pgflow''s tables that are not there.';

create or replace function pgflow_realtime.lock_tables(p_tables text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_lock_timeout text := current_setting('lock_timeout');
begin
  -- All tables before anything is changed, in one order; released at once if a worker holds one. A
  -- worker never waits longer for this than a tenth of a second a table, so there can be no
  -- deadlock.
  for v_attempt in 1 .. 600 loop
    begin
      perform set_config('lock_timeout', '100ms', true);
      execute format('lock table %s in access exclusive mode', p_tables);
      perform set_config('lock_timeout', v_lock_timeout, true);
      return;
    exception
      when lock_not_available or deadlock_detected then
        perform pg_sleep(0.02 + random() * 0.08);
    end;
  end loop;
  raise exception using
    errcode = 'lock_not_available',
    message = format('The tables %s were in use for over a minute.', p_tables),
    detail = 'pinia-pgflow changes them only while nobody uses them, and waits for no more than a moment at a time.',
    hint = 'Look for a transaction that stays open (select * from pg_stat_activity order by xact_start), end it, and run this again. Nothing was changed.';
end;
$$;
comment on function pgflow_realtime.lock_tables(text) is
  'Takes tables for this transaction without making anybody wait or fail who works on them.';

create or replace function pgflow_realtime.ensure_triggers()
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_statement text;
  v_trigger record;
  v_is_done boolean;
begin
  v_is_done := not exists (select 1 from pgflow_realtime.missing_triggers())
    and not exists (select 1 from pgflow_realtime.outdated_parts())
    and not exists (select 1 from pgflow_realtime.missing_indexes());
  if v_is_done then
    return;
  end if;
  perform pgflow_realtime.lock_tables('pgflow.runs, pgflow.step_states, pgflow.step_tasks, pgflow_realtime.run_seq, pgflow_realtime.run_owners');
  for v_statement in select * from pgflow_realtime.outdated_parts() loop
    execute v_statement;
  end loop;
  for v_trigger in select * from pgflow_realtime.missing_triggers() loop
    execute format('drop trigger if exists %I on %s', v_trigger.name, v_trigger.relation);
    execute v_trigger.definition;
  end loop;
  for v_statement in select * from pgflow_realtime.missing_indexes() loop
    execute v_statement;
    execute format('comment on index pgflow.%I is ''Made by pinia-pgflow.''', split_part(v_statement, ' ', 3));
  end loop;
end;
$$;
comment on function pgflow_realtime.ensure_triggers() is
  'Makes the triggers and indexes as they should be; touches no table where they are.';

-- 1100-take-over.sql ------------------------------------------------------------------------------

-- pgflow sends its own broadcasts from inside its functions: publicly, without seq, and some of
-- them twice or never. Taking over replaces each of those calls by a constant: `false and …` is
-- decided when Postgres plans the statement, so the payload is not computed, and nothing of
-- pinia-pgflow is called. A worker in the middle of such a function can therefore continue while
-- pinia-pgflow is installed or removed.
create or replace function pgflow_realtime.silenced_call()
returns text
language sql
immutable
set search_path = ''
as $$
  select '/* silenced by pinia-pgflow */ false and null::record = row(';
$$;
comment on function pgflow_realtime.silenced_call() is
  'What stands in pgflow''s functions for "realtime.send(" while pinia-pgflow broadcasts.';

create or replace function pgflow_realtime.replace_in_pgflow(p_search text, p_replacement text)
returns setof text
language plpgsql
set search_path = ''
as $$
declare
  v_function record;
begin
  perform pgflow_realtime.take_turn();
  for v_function in
    select proc.oid, proc.oid::regprocedure::text as name, pg_get_functiondef(proc.oid) as definition
    from pg_catalog.pg_proc as proc
    where proc.pronamespace = 'pgflow'::regnamespace
      and proc.prokind in ('f', 'p')
      and proc.proname <> 'pinia_pgflow_silence'
      and strpos(proc.prosrc, p_search) > 0
    order by 2
  loop
    begin
      execute replace(v_function.definition, p_search, p_replacement);
      return next v_function.name;
    exception
      -- A call in another form, with named arguments: status() reports it.
      when syntax_error then
        raise warning 'pinia-pgflow could not rewrite %: %', v_function.name, sqlerrm;
    end;
  end loop;
end;
$$;
comment on function pgflow_realtime.replace_in_pgflow(text, text) is
  'Replaces a text in every function of schema pgflow that has it, and names those functions.';

create or replace function pgflow_realtime.take_over()
returns setof text
language plpgsql
set search_path = ''
as $$
begin
  return query
  select name
  from pgflow_realtime.replace_in_pgflow('realtime.send(', pgflow_realtime.silenced_call()) as name
  union
  -- What the first edition had put there.
  select name
  from pgflow_realtime.replace_in_pgflow('pgflow.pinia_pgflow_silence(', pgflow_realtime.silenced_call()) as name
  order by 1;
end;
$$;
comment on function pgflow_realtime.take_over() is
  'Stops pgflow''s own broadcasts. Run it again after each upgrade of pgflow. Returns the functions it rewrote.';

create or replace function pgflow_realtime.give_back()
returns setof text
language plpgsql
set search_path = ''
as $$
begin
  return query
  select name
  from pgflow_realtime.replace_in_pgflow(pgflow_realtime.silenced_call(), 'realtime.send(') as name
  union
  select name
  from pgflow_realtime.replace_in_pgflow('pgflow.pinia_pgflow_silence(', 'realtime.send(') as name
  order by 1;
end;
$$;
comment on function pgflow_realtime.give_back() is
  'Undoes take_over() to the letter. Returns the functions it restored.';

-- 1200-visibility.sql -----------------------------------------------------------------------------

-- Private runs. The policies are created when they are first needed: a public project has none of
-- them on realtime.messages.
create or replace function pgflow_realtime.may_listen(p_topic text)
returns boolean
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  if p_topic like 'pgflow:user:%' then
    return p_topic = 'pgflow:user:' || pgflow_realtime.caller_id();
  end if;
  if p_topic ~ '^pgflow:run:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
    return pgflow_realtime.owns(substr(p_topic, 12)::uuid);
  end if;
  -- The topic of self_test(), which carries no data of a run.
  return p_topic ~ '^pgflow:self-test:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';
end;
$$;
comment on function pgflow_realtime.may_listen(text) is
  'Whether the caller may listen to a channel of pinia-pgflow: of a run they started, their own list of runs, or a self-test.';

create or replace function pgflow_realtime.expected_policies()
returns table (name name, command text, definition text)
language sql
immutable
set search_path = ''
as $$
  select expected.name, expected.command, expected.definition
  from (values
    -- Realtime checks with a row that has only a topic and an extension.
    ('pinia_pgflow_listen', 'permissive r',
      $policy$ for select to authenticated
      using (extension = 'broadcast' and pgflow_realtime.may_listen(realtime.topic())) $policy$),
    -- Restrictive, so that a wider policy of the project, made for its own channels, does not apply
    -- to these. Realtime sets the topic of the channel that it checks. A client that reaches the
    -- table itself, over a REST API that exposes the schema realtime, sets none; then the row's own
    -- topic decides.
    ('pinia_pgflow_listen_to_own_only', 'restrictive r',
      $policy$ as restrictive for select to public
      using (
        (topic !~ '^pgflow:(run|user):' and coalesce(realtime.topic(), '') !~ '^pgflow:(run|user):')
        or (topic = coalesce(realtime.topic(), topic) and pgflow_realtime.may_listen(topic))
      ) $policy$),
    ('pinia_pgflow_send_nothing', 'restrictive a',
      $policy$ as restrictive for insert to public
      with check (
        topic !~ '^pgflow:(run|user):' and coalesce(realtime.topic(), '') !~ '^pgflow:(run|user):'
      ) $policy$),
    ('pinia_pgflow_change_nothing', 'restrictive w',
      $policy$ as restrictive for update to public
      using (topic !~ '^pgflow:(run|user):')
      with check (topic !~ '^pgflow:(run|user):') $policy$)
  ) as expected (name, command, definition);
$$;
comment on function pgflow_realtime.expected_policies() is
  'The policies on realtime.messages that private runs need: their owner listens, nobody sends.';

create or replace function pgflow_realtime.missing_policies()
returns table (name name, command text, definition text)
language sql
stable
set search_path = ''
as $$
  select expected.name, expected.command, expected.definition
  from pgflow_realtime.expected_policies() as expected
  where not exists (
    select 1
    from pg_catalog.pg_policy as policy
    where policy.polrelid = 'realtime.messages'::regclass
      and policy.polname = expected.name
      and expected.command = case when policy.polpermissive then 'permissive ' else 'restrictive ' end
        || policy.polcmd::text
  );
$$;
comment on function pgflow_realtime.missing_policies() is
  'Those of the policies that are not there.';

create or replace function pgflow_realtime.change_policies(p_statements text[])
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_statement text;
begin
  -- As the caller, never as the owner: Supabase allows it to the current role, by name.
  perform pgflow_realtime.lock_tables('only realtime.messages');
  foreach v_statement in array p_statements loop
    execute v_statement;
  end loop;
exception
  when insufficient_privilege then
    raise exception using
      errcode = 'insufficient_privilege',
      message = format('The role "%s" may not change the policies on realtime.messages.', current_user),
      detail = format('Private runs need policies on that table, and Postgres says: %s.', sqlerrm),
      hint = format('Run the same in the SQL editor of the Supabase dashboard, whose role may create policies there where that of "supabase db push" may not; or as a member of %s, who owns the table. Nothing was changed.',
        (select class.relowner::regrole::text from pg_catalog.pg_class as class where class.oid = 'realtime.messages'::regclass));
end;
$$;
comment on function pgflow_realtime.change_policies(text[]) is
  'Runs statements about policies on realtime.messages, and says in words who can where the caller cannot.';

create or replace function pgflow_realtime.drop_policies()
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_statements text[] := array(
    select format('drop policy %I on realtime.messages', policy.polname)
    from pg_catalog.pg_policy as policy
    where policy.polrelid = 'realtime.messages'::regclass and policy.polname like 'pinia\_pgflow\_%'
  );
begin
  if cardinality(v_statements) > 0 then
    perform pgflow_realtime.change_policies(v_statements);
  end if;
end;
$$;
comment on function pgflow_realtime.drop_policies() is
  'Removes the policies of pinia-pgflow from realtime.messages.';

create or replace function pgflow_realtime.create_policies()
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_statements text[] := array(
    select unnest(array[
      format('drop policy if exists %I on realtime.messages', missing.name),
      format('create policy %I on realtime.messages %s', missing.name, missing.definition)
    ])
    from pgflow_realtime.missing_policies() as missing
  );
begin
  if cardinality(v_statements) > 0 then
    perform pgflow_realtime.change_policies(v_statements);
  end if;
end;
$$;
comment on function pgflow_realtime.create_policies() is
  'Makes those of the policies that private runs need and that are not there.';

create or replace function pgflow_realtime.set_visibility(p_visibility text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform pgflow_realtime.check_setting('visibility', quote_literal(p_visibility),
    p_visibility in ('public', 'private'),
    'Set it to ''public'' (whoever knows a run''s id may read it) or ''private'' (only the user who started it).');
  perform pgflow_realtime.take_turn();
  if p_visibility = 'private' then
    -- pgflow's own broadcasts are public.
    perform pgflow_realtime.take_over();
    perform pgflow_realtime.put_setting('is_private', 'true');
    perform pgflow_realtime.create_policies();
  else
    perform pgflow_realtime.put_setting('is_private', 'false');
    perform pgflow_realtime.drop_policies();
  end if;
end;
$$;
comment on function pgflow_realtime.set_visibility(text) is
  'Chooses who may read a run and listen to it: whoever knows its id (public), or the user who started it (private).';

-- 1300-start.sql ----------------------------------------------------------------------------------

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

-- 1400-read.sql -----------------------------------------------------------------------------------

-- Reading runs.
create or replace function pgflow_client.get_run_with_states(p_run_id uuid)
returns table (run jsonb, steps jsonb, seq bigint)
language sql
stable
security definer
set search_path = ''
as $$
  select * from pgflow_realtime.snapshots(array[p_run_id]);
$$;
comment on function pgflow_client.get_run_with_states(uuid) is
  'A run, its steps and the seq they are true at; no row for a run that is unknown or not for the caller.';

create or replace function pgflow_realtime.check_run_ids(p_run_ids uuid[])
returns void
language plpgsql
immutable
set search_path = ''
as $$
begin
  if cardinality(p_run_ids) > 200 then
    raise exception using
      errcode = 'PT422',
      message = format('%s runs are too many to read at once.', cardinality(p_run_ids)),
      detail = 'p_run_ids takes at most 200 run ids.',
      hint = 'Read them in several calls.';
  end if;
end;
$$;
comment on function pgflow_realtime.check_run_ids(uuid[]) is
  'Raises PT422 when more runs are asked for than can be read at once.';

-- Several runs are returned as one value: a project limits the rows of a response, and drops the
-- rest without an error. A function cannot change its return type, so the first edition's is
-- dropped.
do $$
begin
  if (
    select proc.proretset
    from pg_catalog.pg_proc as proc
    where proc.oid = to_regprocedure('pgflow_client.get_runs_with_states(uuid[])')
  ) then
    drop function pgflow_client.get_runs_with_states(uuid[]);
  end if;
  if (
    select proc.proretset
    from pg_catalog.pg_proc as proc
    where proc.oid = to_regprocedure('pgflow_client.list_runs(text, text, text, integer)')
  ) then
    drop function pgflow_client.list_runs(text, text, text, integer);
  end if;
end;
$$;

create or replace function pgflow_client.get_runs_with_states(p_run_ids uuid[])
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  perform pgflow_realtime.check_run_ids(p_run_ids);
  return (
    select coalesce(jsonb_agg(to_jsonb(snapshot)), '[]'::jsonb)
    from pgflow_realtime.snapshots(p_run_ids) as snapshot
  );
end;
$$;
comment on function pgflow_client.get_runs_with_states(uuid[]) is
  'What get_run_with_states returns for up to 200 runs, all at one moment, as an array of {run, steps, seq} in no particular order.';

create or replace function pgflow_client.get_run_seqs(p_run_ids uuid[])
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_sees_all boolean := not pgflow_realtime.is_private() or pgflow_realtime.sees_everything();
begin
  perform pgflow_realtime.check_run_ids(p_run_ids);
  return (
    select coalesce(jsonb_object_agg(read.run_id, read.seq) filter (where read.seq is not null), '{}'::jsonb)
    from (
      select
        asked.run_id,
        coalesce(
          (select counter.seq from pgflow_realtime.run_seq as counter where counter.run_id = asked.run_id),
          (select pgflow_realtime.seq_without_counter() from pgflow.runs as run where run.run_id = asked.run_id)
        ) as seq
      from unnest(p_run_ids) as asked (run_id)
      where asked.run_id is not null
        and (v_sees_all or pgflow_realtime.owns(asked.run_id))
    ) as read
  );
end;
$$;
comment on function pgflow_client.get_run_seqs(uuid[]) is
  'The seq of each of up to 200 runs, {run_id: seq}, without those that are unknown or not for the caller: whether something was missed.';

create or replace function pgflow_client.api_version()
returns integer
language sql
immutable
set search_path = ''
as $$
  select 2;
$$;
comment on function pgflow_client.api_version() is
  'Counts the changes of these functions that a client has to know of, so that it can say which side is older. There was none in 1.';

create or replace function pgflow_client.get_flow(p_flow_slug text)
returns table (flow_slug text, steps jsonb)
language sql
stable
security definer
set search_path = ''
as $$
  select
    flow.flow_slug,
    (
      select coalesce(
        jsonb_agg(
          jsonb_build_object(
            'step_slug', step.step_slug,
            'step_type', coalesce(to_jsonb(step) ->> 'step_type', 'single'),
            'deps', (
              select coalesce(jsonb_agg(dep.dep_slug order by dep.dep_slug), '[]'::jsonb)
              from pgflow.deps as dep
              where dep.flow_slug = step.flow_slug and dep.step_slug = step.step_slug
            )
          )
          order by step.step_index
        ),
        '[]'::jsonb
      )
      from pgflow.steps as step
      where step.flow_slug = flow.flow_slug
    )
  from pgflow.flows as flow
  where flow.flow_slug = p_flow_slug;
$$;
comment on function pgflow_client.get_flow(text) is
  'The steps of a flow in topological order, each with its type (single or map) and the steps it depends on; no row for an unknown flow.';

-- 1500-list.sql -----------------------------------------------------------------------------------

-- Lists of runs, newest first, in pages. A cursor is the position of a row in that order, so a page
-- neither repeats nor skips a run when others are added or removed.
create or replace function pgflow_realtime.check_list(p_before text, p_limit integer)
returns void
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_is_cursor boolean := true;
begin
  if pgflow_realtime.caller_id() is null and not pgflow_realtime.sees_everything() then
    raise exception using
      errcode = 'PT401',
      message = 'Sign in to list your runs.',
      detail = 'A list holds the runs that the signed-in user started, and nobody is signed in.',
      hint = 'Sign in first (an anonymous sign-in will do), or read single runs by their id.';
  end if;
  if p_limit is null or p_limit < 1 or p_limit > 100 then
    raise exception using
      errcode = 'PT422',
      message = format('A page of %s runs is not possible.', coalesce(p_limit::text, 'null')),
      detail = 'p_limit is the number of runs in a page.',
      hint = 'Ask for 1 to 100 runs.';
  end if;
  begin
    -- The cast fails for a text that only looks like a time.
    v_is_cursor := p_before is null or p_before ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?\+00:00 [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
      and split_part(p_before, ' ', 1)::timestamptz is not null;
  exception
    when datetime_field_overflow or invalid_datetime_format then
      v_is_cursor := false;
  end;
  if not v_is_cursor then
    raise exception using
      errcode = 'PT422',
      message = 'The cursor is not one that list_runs returned.',
      detail = format('p_before is %L.', left(p_before, 100)),
      hint = 'Pass the "cursor" of the last row of the page before, or null for the first page.';
  end if;
end;
$$;
comment on function pgflow_realtime.check_list(text, integer) is
  'Raises PT401 or PT422 when the caller cannot list runs like this.';

create or replace function pgflow_realtime.page_of_runs(
  p_flow_slug text, p_status text, p_started_at timestamptz, p_run_id uuid, p_limit integer
)
returns setof uuid
language plpgsql
stable
rows 20
security definer
set search_path = ''
as $$
begin
  -- Two statements, since each reads its own index in order.
  if pgflow_realtime.sees_everything() then
    return query
    select run.run_id
    from pgflow.runs as run
    where (p_flow_slug is null or run.flow_slug = p_flow_slug)
      and (p_status is null or run.status = p_status)
      and (p_run_id is null or (run.started_at, run.run_id) < (p_started_at, p_run_id))
    order by run.started_at desc, run.run_id desc
    limit p_limit;
  else
    return query
    select run.run_id
    from pgflow_realtime.run_owners as owned
    join pgflow.runs as run on run.run_id = owned.run_id
    where owned.owner = pgflow_realtime.caller_id()
      and (p_flow_slug is null or run.flow_slug = p_flow_slug)
      and (p_status is null or run.status = p_status)
      and (p_run_id is null or (owned.started_at, owned.run_id) < (p_started_at, p_run_id))
    order by owned.started_at desc, owned.run_id desc
    limit p_limit;
  end if;
end;
$$;
comment on function pgflow_realtime.page_of_runs(text, text, timestamptz, uuid, integer) is
  'The ids of a page of the runs that the caller may list.';

create or replace function pgflow_client.list_runs(
  p_flow_slug text default null,
  p_status text default null,
  p_before text default null,
  p_limit integer default 20
)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
set timezone = 'UTC'
as $$
begin
  perform pgflow_realtime.check_list(p_before, p_limit);
  return (
    select coalesce(
      jsonb_agg(
        jsonb_build_object(
          'run', pgflow_realtime.run_projection(whole.run, whole.run ->> 'error_message')
            - array['input', 'output'],
          'seq', coalesce(counter.seq, pgflow_realtime.seq_without_counter()),
          'cursor', (whole.run ->> 'started_at') || ' ' || r.run_id
        )
        order by r.started_at desc, r.run_id desc
      ),
      '[]'::jsonb
    )
    from pgflow_realtime.page_of_runs(
      p_flow_slug,
      p_status,
      split_part(p_before, ' ', 1)::timestamptz,
      split_part(p_before, ' ', 2)::uuid,
      p_limit
    ) as page (run_id)
    join pgflow.runs as r on r.run_id = page.run_id
    -- One index scan for each run, however many runs there are.
    left join lateral (
      select of_run.* from pgflow_realtime.run_seq as of_run where of_run.run_id = r.run_id offset 0
    ) as counter on true,
    lateral (select pgflow_realtime.run_row(r, counter.error_message)) as whole (run)
  );
end;
$$;
comment on function pgflow_client.list_runs(text, text, text, integer) is
  'The caller''s own runs (every run for service_role), newest first, without input and output, as an array of {run, seq, cursor}. Pass the cursor of the last as p_before for the next page.';

-- 1600-status.sql ---------------------------------------------------------------------------------

create or replace function pgflow_realtime.version()
returns text
language sql
immutable
set search_path = ''
as $$
  select '0.1.0';
$$;
comment on function pgflow_realtime.version() is 'The version of pinia-pgflow that this database has.';

create or replace function pgflow_realtime.functions_still_sending()
returns setof text
language sql
stable
set search_path = ''
as $$
  -- Wider than the calls that take_over() replaces: it also finds those in another form.
  select proc.oid::regprocedure::text
  from pg_catalog.pg_proc as proc
  where proc.pronamespace = 'pgflow'::regnamespace
    and proc.prokind in ('f', 'p')
    and pg_get_functiondef(proc.oid) ~* '"?realtime"?\s*\.\s*"?send(_binary)?"?\s*\('
  order by 1;
$$;
comment on function pgflow_realtime.functions_still_sending() is
  'Functions of pgflow that broadcast by themselves: none after take_over().';

create or replace function pgflow_realtime.cannot_send()
returns text
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  -- Inside this function the current user is its owner, as whom every event is sent.
  if not has_schema_privilege('realtime', 'usage')
    or not has_table_privilege('realtime.messages', 'insert') then
    return format('Every broadcast is lost: the role "%s", which owns the functions of pinia-pgflow, may not insert into realtime.messages. Install as the role postgres of your project.', current_user);
  end if;
  if row_security_active('realtime.messages') and not exists (
    select 1
    from pg_catalog.pg_policy as policy
    where policy.polrelid = 'realtime.messages'::regclass
      and policy.polpermissive
      and policy.polcmd in ('a', '*')
      and exists (
        select 1
        from unnest(policy.polroles) as role_id
        where role_id = 0 or pg_has_role(current_user, role_id, 'usage')
      )
  ) then
    return format('Every broadcast is lost: the role "%s", which owns the functions of pinia-pgflow, is subject to the row level security of realtime.messages. Run as a superuser: alter role %I bypassrls; or install as the role postgres of your project.', current_user, current_user);
  end if;
  return null;
end;
$$;
comment on function pgflow_realtime.cannot_send() is
  'Why no broadcast can be stored, as far as rights go; null where it can.';

create or replace function pgflow_realtime.problems()
returns setof text
language plpgsql
stable
set search_path = ''
as $$
begin
  return query
  select format('The trigger %s on %s is missing, disabled or not as it should be: run the migration again.',
    missing.name, missing.relation)
  from pgflow_realtime.missing_triggers() as missing
  order by 1;

  if pgflow_realtime.has_map_steps() <> pgflow_realtime.has_step_column('initial_tasks')
    or pgflow_realtime.has_step_outputs() <> pgflow_realtime.has_step_column('output') then
    return next 'pgflow was upgraded since the installation: run the migration again.';
  end if;

  return query
  select format('%s broadcasts by itself, publicly: run pgflow_realtime.take_over().', name)
  from pgflow_realtime.functions_still_sending() as name;

  return query
  select reason from pgflow_realtime.cannot_send() as reason where reason is not null;

  if pgflow_realtime.is_private() then
    return query
    select format('The policy %s on realtime.messages is missing: run pgflow_realtime.create_policies().', missing.name)
    from pgflow_realtime.missing_policies() as missing;
    if not (select class.relrowsecurity from pg_catalog.pg_class as class
      where class.oid = 'realtime.messages'::regclass) then
      return next 'Row level security of realtime.messages is off: anyone may listen to private runs.';
    end if;
  end if;
end;
$$;
comment on function pgflow_realtime.problems() is
  'What keeps pinia-pgflow from working as it is set, each with the remedy. No row: all is well.';

create or replace function pgflow_realtime.exposed_schemas()
returns text[]
language sql
stable
set search_path = ''
as $$
  -- Known only if PostgREST is configured in the database; null if it is configured outside.
  select regexp_split_to_array(substr(entry, length('pgrst.db_schemas=') + 1), '\s*,\s*')
  from pg_catalog.pg_db_role_setting as role_setting, unnest(role_setting.setconfig) as entry
  where entry like 'pgrst.db\_schemas=%'
  order by role_setting.setdatabase desc
  limit 1;
$$;
comment on function pgflow_realtime.exposed_schemas() is
  'The schemas that PostgREST serves, as far as the database knows.';

create or replace function pgflow_realtime.status()
returns jsonb
language sql
stable
set search_path = ''
as $$
  select jsonb_build_object(
    'version', pgflow_realtime.version(),
    'settings', jsonb_build_object(
      'max_payload_bytes', pgflow_realtime.max_payload_bytes(),
      'max_input_bytes', pgflow_realtime.max_input_bytes(),
      'step_event_prefix', pgflow_realtime.step_event_prefix(),
      'visibility', case when pgflow_realtime.is_private() then 'private' else 'public' end
    ),
    'pgflow', jsonb_build_object(
      'map_steps', pgflow_realtime.has_step_column('initial_tasks'),
      'outputs_in_steps', pgflow_realtime.has_step_column('output'),
      'skipped_steps', pgflow_realtime.has_step_column('skipped_at')
    ),
    'allowed_starts', (
      select coalesce(
        jsonb_object_agg(allowed.flow_slug, allowed.roles), '{}'::jsonb
      )
      from (
        select flow_slug, jsonb_agg(role_name order by role_name) as roles
        from pgflow_realtime.allowed_starts
        group by flow_slug
      ) as allowed
    ),
    'functions_still_sending',
    to_jsonb(array(select pgflow_realtime.functions_still_sending())),
    'exposed', 'pgflow_client' = any (pgflow_realtime.exposed_schemas()),
    'problems', to_jsonb(array(select pgflow_realtime.problems()))
  );
$$;
comment on function pgflow_realtime.status() is
  'What is installed, how it is set, and what is wrong: select jsonb_pretty(pgflow_realtime.status()).';

-- 1650-self-test.sql ------------------------------------------------------------------------------

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

-- 1700-access.sql ---------------------------------------------------------------------------------

-- No function may be executed by everybody: Postgres grants that on new functions, and a project
-- may have default privileges of its own.
revoke all on all tables in schema pgflow_client, pgflow_realtime
from public, anon, authenticated, service_role;
revoke all on all functions in schema pgflow_client, pgflow_realtime
from public, anon, authenticated, service_role;
revoke all on schema pgflow_client, pgflow_realtime
from public, anon, authenticated, service_role;

grant usage on schema pgflow_client to anon, authenticated, service_role;
grant execute on function
  pgflow_client.api_version(),
  pgflow_client.start_flow_with_states(text, jsonb, uuid),
  pgflow_client.get_run_with_states(uuid),
  pgflow_client.get_runs_with_states(uuid[]),
  pgflow_client.get_run_seqs(uuid[]),
  pgflow_client.list_runs(text, text, text, integer),
  pgflow_client.get_flow(text),
  pgflow_client.self_test(uuid),
  pgflow_client.self_test_rows()
to anon, authenticated, service_role;

-- Policies call it for the user who joins a channel. Nobody can call it by name: the schema is
-- closed.
grant execute on function pgflow_realtime.may_listen(text) to public;

-- 1800-fingerprint.sql ----------------------------------------------------------------------------

-- A hash of what is installed, so that installing the same again changes nothing.
create or replace function pgflow_realtime.fingerprint()
returns text
language sql
stable
set search_path = ''
as $$
  select md5(string_agg(part.text, E'\n' order by part.text))
  from (
    select pg_get_functiondef(proc.oid) || coalesce(proc.proacl::text, '')
    from pg_catalog.pg_proc as proc
    where proc.pronamespace in ('pgflow_client'::regnamespace, 'pgflow_realtime'::regnamespace)
      and proc.prokind = 'f'
      -- Without the settings, and without the function that holds this hash.
      and not (proc.provolatile = 'i' and proc.pronargs = 0)
      and coalesce(obj_description(proc.oid, 'pg_proc'), '') not like 'Unused since %'
    union all
    select class.oid::regclass || coalesce(class.relacl::text, '')
    from pg_catalog.pg_class as class
    where class.relnamespace in ('pgflow_client'::regnamespace, 'pgflow_realtime'::regnamespace)
      and class.relkind = 'r'
      and coalesce(obj_description(class.oid, 'pg_class'), '') not like 'Unused since %'
  ) as part (text);
$$;
comment on function pgflow_realtime.fingerprint() is
  'Changes with every function and table of pinia-pgflow, and not with its settings.';
revoke all on function pgflow_realtime.fingerprint() from public, anon, authenticated, service_role;
$definitions$;

  perform pgflow_realtime.put_constant('definitions', 'text'::regtype, 'a187f14f5e9bc892',
    'Which definitions were installed, as a digest.');
end;
$migration$;

-- 1900-install.sql --------------------------------------------------------------------------------

-- What depends on pgflow and on the settings. Each part is left alone if it is already right. The
-- tables are locked first and together, before anything else that a worker could wait for.
do $$
begin
  perform pgflow_realtime.take_turn();
  perform pgflow_realtime.note_pgflow_version();
  perform pgflow_realtime.ensure_triggers();
  perform pgflow_realtime.take_over();
  if pgflow_realtime.is_private() then
    perform pgflow_realtime.create_policies();
  end if;
end;
$$;

-- What only the first edition used may still be in use: the first run of this file marks it, the
-- next one drops it.
do $$
declare
  v_part record;
begin
  -- Looked up by name: Postgres before 16 fails if a signature names a type that does not exist.
  for v_part in
    select 'function' as kind, proc.oid::regprocedure::text as name,
      obj_description(proc.oid, 'pg_proc') as note
    from pg_catalog.pg_proc as proc
    where (proc.pronamespace::regnamespace::text, proc.proname) in (
      ('pgflow_realtime', 'on_step_change'),
      ('pgflow_realtime', 'on_step_progress'),
      ('pgflow_realtime', 'on_run_start'),
      ('pgflow_realtime', 'on_run_change'),
      ('pgflow_realtime', 'send'),
      ('pgflow', 'pinia_pgflow_silence')
    )
    union all
    select 'table', class.oid::regclass::text, obj_description(class.oid, 'pg_class')
    from pg_catalog.pg_class as class
    where class.oid = to_regclass('pgflow_realtime.settings')
    -- The table after the function that takes a row of it.
    order by kind
  loop
    if v_part.note like 'Unused since %' then
      execute format('drop %s %s', v_part.kind, v_part.name);
    else
      execute format('comment on %s %s is %L', v_part.kind, v_part.name,
        'Unused since the second edition of pinia-pgflow; dropped when the migration runs again.');
    end if;
  end loop;
  perform pgflow_realtime.put_constant('installed', 'text'::regtype,
    pgflow_realtime.definitions() || ' ' || pgflow_realtime.fingerprint(),
    'What is installed: which definitions, and what they became in this database.');
end;
$$;

do $$
declare
  v_problem text;
begin
  for v_problem in select * from pgflow_realtime.problems() loop
    raise warning 'pinia-pgflow: %', v_problem;
  end loop;
end;
$$;

-- 2000-reload.sql ---------------------------------------------------------------------------------

-- Makes PostgREST reload its schema cache.
notify pgrst, 'reload schema';
