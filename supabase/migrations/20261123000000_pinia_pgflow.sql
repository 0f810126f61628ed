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
-- It can be run again at any time, which is also how it is upgraded; do so after upgrading pgflow.

-- 01-prerequisites.sql ----------------------------------------------------------------------------

-- Refuses to install where something it builds on is missing. The schemas are created in the same
-- statement, and everything after it lives in them or needs them: even a runner that goes on after
-- an error leaves nothing behind.
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

-- 02-settings.sql ---------------------------------------------------------------------------------

-- One row, one column a setting: typed, checked, and read in one page.
create table if not exists pgflow_realtime.settings (
  only_row boolean primary key default true check (only_row),
  max_payload_bytes integer not null default 200000 check (max_payload_bytes >= 1000),
  step_event_prefix text not null default '' check (step_event_prefix in ('', 'step:')),
  visibility text not null default 'public' check (visibility in ('public', 'private'))
);
comment on table pgflow_realtime.settings is 'The settings of pinia-pgflow, always exactly one row.';
comment on column pgflow_realtime.settings.max_payload_bytes is
  'A broadcast larger than this loses its output and input. Supabase drops larger ones silently (256 kB on the free plan).';
comment on column pgflow_realtime.settings.step_event_prefix is
  'Empty, or "step:" for the event names and fields of pgflow''s own broadcasts, which @pgflow/client expects.';
comment on column pgflow_realtime.settings.visibility is
  'Who may read a run and listen to it: whoever knows its id (public), or the user who started it (private).';

insert into pgflow_realtime.settings default values on conflict do nothing;

create or replace function pgflow_realtime.set_max_payload_bytes(p_bytes integer)
returns void
language plpgsql
set search_path = ''
as $$
begin
  if p_bytes is null or p_bytes < 1000 or p_bytes > 3000000 then
    raise exception using
      errcode = 'invalid_parameter_value',
      message = format('max_payload_bytes cannot be %s.', coalesce(p_bytes::text, 'null')),
      hint = 'Set it between 1000 and 3000000, below the limit of your Supabase plan: 256 kB on the free plan, 3000 kB on Pro.';
  end if;
  update pgflow_realtime.settings set max_payload_bytes = p_bytes;
end;
$$;
comment on function pgflow_realtime.set_max_payload_bytes(integer) is
  'Sets the size over which a broadcast loses its output and input.';

create or replace function pgflow_realtime.set_step_event_prefix(p_prefix text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  if p_prefix is null or p_prefix not in ('', 'step:') then
    raise exception using
      errcode = 'invalid_parameter_value',
      message = format('step_event_prefix cannot be %s.', coalesce(quote_literal(p_prefix), 'null')),
      hint = 'Set it to '''' (the default) or to ''step:'' (as pgflow''s own broadcasts).';
  end if;
  update pgflow_realtime.settings set step_event_prefix = p_prefix;
end;
$$;
comment on function pgflow_realtime.set_step_event_prefix(text) is
  'Chooses the names of step events: <step_slug>:<change>, or step:<step_slug>:<change> with the fields of pgflow''s own broadcasts.';

-- 03-counter.sql ----------------------------------------------------------------------------------

-- What a run has broadcast so far. Narrow and with room on its pages, so that counting is an
-- in-place update.
create table if not exists pgflow_realtime.run_seq (
  run_id uuid primary key references pgflow.runs (run_id) on delete cascade,
  seq bigint not null,
  error_message text
) with (fillfactor = 50);
comment on table pgflow_realtime.run_seq is
  'One row a run: the seq of its last broadcast, and the error its run:failed told.';

-- 04-ownership.sql --------------------------------------------------------------------------------

-- Who is calling, and whose a run is.
create table if not exists pgflow_realtime.run_owners (
  run_id uuid primary key references pgflow.runs (run_id) on delete cascade,
  owner text not null,
  started_at timestamptz not null
);
comment on table pgflow_realtime.run_owners is
  'The signed-in user who started a run; no row for a run that nobody signed in started.';
create index if not exists run_owners_newest
on pgflow_realtime.run_owners (owner, started_at desc, run_id desc);

create or replace function pgflow_realtime.caller_role()
returns name
language sql
stable
set search_path = ''
as $$
  -- What `set role` set, which survives `security definer`; otherwise who logged in.
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
  -- What auth.uid() returns, as text: the ids of third-party auth providers are not UUIDs.
  select coalesce(
    nullif(current_setting('request.jwt.claim.sub', true), ''),
    nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub'
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
  -- Inside this function the current user is its owner, who is the database owner.
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

create or replace function pgflow_realtime.is_private()
returns boolean
language sql
stable
security definer
set search_path = ''
as $$
  select setting.visibility = 'private' from pgflow_realtime.settings as setting;
$$;
comment on function pgflow_realtime.is_private() is 'Whether a run is for its owner only.';

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

-- 05-step-output.sql ------------------------------------------------------------------------------

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

  -- pgflow 0.11 and newer keep it with the step.
  if p_state ? 'output' then
    return p_state -> 'output';
  end if;

  -- pgflow 0.7 brought map steps, and initial_tasks with them.
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

-- 06-projection.sql -------------------------------------------------------------------------------

-- The projection: what a client knows of a run and its steps, in snapshots and in broadcasts
-- alike. Everything is read as JSON, since some columns exist only in some versions of pgflow. The
-- time zone is fixed so that one instant is always the same text.
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
  -- Several steps can fail in a race: the one that failed the run carries the run's time.
  select to_jsonb(state) ->> 'error_message'
  from pgflow.step_states as state
  join pgflow.runs as run on run.run_id = state.run_id
  where state.run_id = p_run_id and state.status = 'failed'
  order by (state.failed_at is not distinct from run.failed_at) desc, state.failed_at, state.step_slug
  limit 1;
$$;
comment on function pgflow_realtime.failed_step_error(uuid) is
  'The error message of the step that failed a run.';

create or replace function pgflow_realtime.snapshots(p_run_ids uuid[])
returns table (run jsonb, steps jsonb, seq bigint)
language sql
stable
security definer
set search_path = ''
set timezone = 'UTC'
as $$
  -- One statement over stable functions: everything in it is true at the same moment.
  select
    to_jsonb(r) || pgflow_realtime.run_projection(
      to_jsonb(r),
      case when r.status = 'failed'
        then coalesce(counter.error_message, pgflow_realtime.failed_step_error(r.run_id))
      end
    ),
    (
      select coalesce(
        jsonb_agg(
          to_jsonb(state) || pgflow_realtime.step_projection(to_jsonb(state))
          order by state.step_slug
        ),
        '[]'::jsonb
      )
      from pgflow.step_states as state
      where state.run_id = r.run_id
    ),
    coalesce(counter.seq, 0)
  from pgflow.runs as r
  left join pgflow_realtime.run_seq as counter on counter.run_id = r.run_id
  where r.run_id = any (p_run_ids) and pgflow_realtime.may_read(r.run_id);
$$;
comment on function pgflow_realtime.snapshots(uuid[]) is
  'Runs, each with its steps ordered by slug and the seq they are true at; no row for a run that is unknown or not for the caller.';

-- 07-broadcast.sql --------------------------------------------------------------------------------

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

-- 08-step-events.sql ------------------------------------------------------------------------------

-- A change that pgflow makes in the ordinary course sends the fields it changes. Any other (a step
-- that completes without having started or is skipped, a record that a racing worker wrote again)
-- sends all fields, so that a client that applies every event knows what a snapshot would tell.
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
  v_payload jsonb;
begin
  if tg_op = 'UPDATE' then
    v_change := old.status || ' to ' || new.status;
  end if;

  v_payload := case v_change
    when 'created to started' then jsonb_build_object(
      'event_type', 'step:started', 'step_slug', new.step_slug, 'status', new.status,
      'started_at', v_state -> 'started_at', 'initial_tasks', v_state -> 'initial_tasks'
    )
    when 'started to failed' then jsonb_build_object(
      'event_type', 'step:failed', 'step_slug', new.step_slug, 'status', new.status,
      'error_message', v_state -> 'error_message', 'failed_at', v_state -> 'failed_at'
    )
    when 'started to completed' then jsonb_build_object(
      'event_type', 'step:completed', 'step_slug', new.step_slug, 'status', new.status,
      'output', pgflow_realtime.step_output(v_state), 'completed_at', v_state -> 'completed_at',
      'remaining_steps', pgflow_realtime.remaining_steps(new.run_id)
    )
    else pgflow_realtime.step_projection(v_state) || jsonb_build_object(
      'event_type', 'step:' || new.status,
      'remaining_steps', pgflow_realtime.remaining_steps(new.run_id)
    )
  end;

  perform pgflow_realtime.broadcast(
    new.run_id, new.step_slug || ':' || new.status, v_payload, v_state
  );
  return null;
end;
$$;
comment on function pgflow_realtime.on_step_change() is
  'Broadcasts a step''s new status: <step_slug>:<status>.';

create or replace function pgflow_realtime.on_step_progress()
returns trigger
language plpgsql
security definer
set search_path = ''
set timezone = 'UTC'
as $$
declare
  v_state jsonb := to_jsonb(new);
begin
  perform pgflow_realtime.broadcast(
    new.run_id,
    new.step_slug || ':progress',
    jsonb_build_object(
      'event_type', 'step:progress', 'step_slug', new.step_slug, 'status', new.status,
      'initial_tasks', v_state -> 'initial_tasks',
      'remaining_tasks', v_state -> 'remaining_tasks'
    ),
    v_state
  );
  return null;
end;
$$;
comment on function pgflow_realtime.on_step_progress() is
  'Broadcasts that a map step has got further: <step_slug>:progress.';

create or replace function pgflow_realtime.on_task_retry()
returns trigger
language plpgsql
security definer
set search_path = ''
set timezone = 'UTC'
as $$
declare
  v_state jsonb;
begin
  -- A failing task holds its run already. pgflow also puts stalled tasks of many runs back at
  -- once, without holding them; waiting for one here while holding another could deadlock, so such
  -- a run is passed over.
  perform from pgflow.runs as run where run.run_id = new.run_id for no key update skip locked;
  if not found then
    return null;
  end if;

  select to_jsonb(state) into v_state
  from pgflow.step_states as state
  where state.run_id = new.run_id and state.step_slug = new.step_slug;

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

-- 09-run-events.sql -------------------------------------------------------------------------------

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

-- 10-triggers.sql ---------------------------------------------------------------------------------

-- When the functions above run.
create or replace trigger pinia_pgflow_step_change
after update on pgflow.step_states
for each row
when (
  old.status <> new.status
  or new.status <> 'created'
  and (
    old.failed_at is distinct from new.failed_at
    or old.completed_at is distinct from new.completed_at
    or old.started_at is distinct from new.started_at
  )
)
execute function pgflow_realtime.on_step_change();

-- pgflow creates steps as "created", which a client learns from the snapshot.
create or replace trigger pinia_pgflow_step_insert
after insert on pgflow.step_states
for each row
when (new.status <> 'created')
execute function pgflow_realtime.on_step_change();

-- pgflow before 0.7 has no map steps and no initial_tasks. At most 50 messages a step, the last of
-- which is its completion: one whenever another fiftieth of its tasks is done.
do $$
begin
  if exists (
    select 1
    from pg_catalog.pg_attribute as attribute
    where attribute.attrelid = 'pgflow.step_states'::regclass and attribute.attname = 'initial_tasks'
  ) then
    create or replace trigger pinia_pgflow_step_progress
    after update on pgflow.step_states
    for each row
    when (
      old.status = 'started'
      and new.status = 'started'
      and new.remaining_tasks < old.remaining_tasks
      and (new.initial_tasks - new.remaining_tasks)::bigint * 50 / nullif(new.initial_tasks, 0)
        > (old.initial_tasks - old.remaining_tasks)::bigint * 50 / nullif(new.initial_tasks, 0)
    )
    execute function pgflow_realtime.on_step_progress();
  end if;
end;
$$;

create or replace trigger pinia_pgflow_task_retry
after update on pgflow.step_tasks
for each row
when (old.status = 'started' and new.status = 'queued')
execute function pgflow_realtime.on_task_retry();

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
  old.status <> new.status
  or old.failed_at is distinct from new.failed_at
  or old.completed_at is distinct from new.completed_at
  or old.started_at is distinct from new.started_at
)
execute function pgflow_realtime.on_run_change();

-- 11-take-over.sql --------------------------------------------------------------------------------

-- pgflow sends its own broadcasts from inside its functions: publicly, without seq, and some of
-- them twice or never. Taking over points those calls at a function that does nothing.
create or replace function pgflow_realtime.replace_in_pgflow(p_search text, p_replacement text)
returns setof text
language plpgsql
set search_path = ''
as $$
declare
  v_function record;
begin
  for v_function in
    select proc.oid, proc.oid::regprocedure::text as name, pg_get_functiondef(proc.oid) as definition
    from pg_catalog.pg_proc as proc
    where proc.pronamespace = 'pgflow'::regnamespace
      and proc.prokind in ('f', 'p')
      and proc.proname <> 'pinia_pgflow_silence'
    order by 2
  loop
    if strpos(v_function.definition, p_search) > 0 then
      execute replace(v_function.definition, p_search, p_replacement);
      return next v_function.name;
    end if;
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
  -- It lives in schema pgflow because whoever may call pgflow''s functions may call this one too,
  -- while nobody else may even look into the schemas of pinia-pgflow. Immutable, and without a
  -- setting of its own, so that Postgres inlines it: the payloads are then not even put together.
  execute $create$
    create or replace function pgflow.pinia_pgflow_silence(
      payload jsonb, event text, topic text, private boolean default true
    )
    returns void
    language sql
    immutable
    as 'select null::void'
  $create$;
  comment on function pgflow.pinia_pgflow_silence(jsonb, text, text, boolean) is
    'Stands in for realtime.send in pgflow''s functions while pinia-pgflow broadcasts; pgflow_realtime.give_back() removes it.';
  return query
  select * from pgflow_realtime.replace_in_pgflow('realtime.send(', 'pgflow.pinia_pgflow_silence(');
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
  select * from pgflow_realtime.replace_in_pgflow('pgflow.pinia_pgflow_silence(', 'realtime.send(');
  drop function if exists pgflow.pinia_pgflow_silence(jsonb, text, text, boolean);
end;
$$;
comment on function pgflow_realtime.give_back() is
  'Undoes take_over() to the letter. Returns the functions it restored.';

do $$
begin
  perform pgflow_realtime.take_over();
end;
$$;

-- 12-access.sql -----------------------------------------------------------------------------------

-- Who may start which flow over the API. No reference to pgflow.flows: a worker may create the
-- flow after the migration that allows it, and may create it anew.
create table if not exists pgflow_realtime.allowed_starts (
  flow_slug text not null,
  role_name name not null,
  primary key (flow_slug, role_name)
);
comment on table pgflow_realtime.allowed_starts is
  'Which role may start which flow over the API; see pgflow_client.allow_start().';

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

-- 13-visibility.sql -------------------------------------------------------------------------------

-- Private runs. The policies are made when they are first needed: a project that stays public has
-- none of them on realtime.messages.
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
  return false;
end;
$$;
comment on function pgflow_realtime.may_listen(text) is
  'Whether the caller may listen to a channel of pinia-pgflow: of a run they started, or their own list of runs.';

create or replace function pgflow_realtime.drop_policies()
returns void
language plpgsql
set search_path = ''
as $$
begin
  drop policy if exists pinia_pgflow_listen on realtime.messages;
  drop policy if exists pinia_pgflow_listen_to_own_only on realtime.messages;
  drop policy if exists pinia_pgflow_send_nothing on realtime.messages;
  drop policy if exists pinia_pgflow_change_nothing on realtime.messages;
end;
$$;
comment on function pgflow_realtime.drop_policies() is
  'Removes the policies of pinia-pgflow from realtime.messages.';

create or replace function pgflow_realtime.create_policies()
returns void
language plpgsql
set search_path = ''
as $$
begin
  perform pgflow_realtime.drop_policies();
  -- Realtime asks about a row that has nothing but its topic and extension.
  create policy pinia_pgflow_listen on realtime.messages
  for select to authenticated
  using (extension = 'broadcast' and pgflow_realtime.may_listen(realtime.topic()));

  -- Restrictive, so that a wider policy of the project, made for its own channels, opens none of
  -- these. Realtime says which channel it asks about; who reaches the table itself, over a REST API
  -- that exposes the schema realtime, says nothing, and there the row's own topic decides.
  create policy pinia_pgflow_listen_to_own_only on realtime.messages
  as restrictive
  for select to public
  using (
    (topic !~ '^pgflow:(run|user):' and coalesce(realtime.topic(), '') !~ '^pgflow:(run|user):')
    or (topic = coalesce(realtime.topic(), topic) and pgflow_realtime.may_listen(topic))
  );
  create policy pinia_pgflow_send_nothing on realtime.messages
  as restrictive
  for insert to public
  with check (
    topic !~ '^pgflow:(run|user):' and coalesce(realtime.topic(), '') !~ '^pgflow:(run|user):'
  );
  create policy pinia_pgflow_change_nothing on realtime.messages
  as restrictive
  for update to public
  using (topic !~ '^pgflow:(run|user):')
  with check (topic !~ '^pgflow:(run|user):');
end;
$$;
comment on function pgflow_realtime.create_policies() is
  'Makes the policies on realtime.messages that private runs need: their owner listens, nobody sends.';

create or replace function pgflow_realtime.set_visibility(p_visibility text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  if p_visibility is null or p_visibility not in ('public', 'private') then
    raise exception using
      errcode = 'invalid_parameter_value',
      message = format('visibility cannot be %s.', coalesce(quote_literal(p_visibility), 'null')),
      hint = 'Set it to ''public'' (whoever knows a run''s id may read it) or ''private'' (only the user who started it).';
  end if;
  if p_visibility = 'private' then
    perform pgflow_realtime.create_policies();
    -- pgflow's own broadcasts are public.
    perform pgflow_realtime.take_over();
  else
    perform pgflow_realtime.drop_policies();
  end if;
  update pgflow_realtime.settings set visibility = p_visibility;
end;
$$;
comment on function pgflow_realtime.set_visibility(text) is
  'Chooses who may read a run and listen to it: whoever knows its id (public), or the user who started it (private).';

do $$
begin
  if pgflow_realtime.is_private() then
    perform pgflow_realtime.create_policies();
  end if;
end;
$$;

-- 14-start.sql ------------------------------------------------------------------------------------

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

-- 15-read.sql -------------------------------------------------------------------------------------

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

create or replace function pgflow_client.get_runs_with_states(p_run_ids uuid[])
returns table (run jsonb, steps jsonb, seq bigint)
language plpgsql
stable
security definer
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
  return query select * from pgflow_realtime.snapshots(p_run_ids);
end;
$$;
comment on function pgflow_client.get_runs_with_states(uuid[]) is
  'The same as get_run_with_states for up to 200 runs, all at one moment, in no particular order.';

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

-- 16-list.sql -------------------------------------------------------------------------------------

-- Lists of runs, newest first, in pages. A cursor is the place of a row in that order, so a page
-- neither repeats nor skips a run when others come or go.
create or replace function pgflow_realtime.check_list(p_before text, p_limit integer)
returns void
language plpgsql
stable
security definer
set search_path = ''
as $$
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
  if p_before !~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?\+00:00 [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
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
returns table (run jsonb, seq bigint, cursor text)
language plpgsql
stable
security definer
set search_path = ''
set timezone = 'UTC'
as $$
begin
  perform pgflow_realtime.check_list(p_before, p_limit);
  return query
  select
    pgflow_realtime.run_projection(
      to_jsonb(r),
      case when r.status = 'failed'
        then coalesce(counter.error_message, pgflow_realtime.failed_step_error(r.run_id))
      end
    ) - array['input', 'output'],
    coalesce(counter.seq, 0),
    (to_jsonb(r) ->> 'started_at') || ' ' || r.run_id
  from pgflow_realtime.page_of_runs(
    p_flow_slug,
    p_status,
    split_part(p_before, ' ', 1)::timestamptz,
    split_part(p_before, ' ', 2)::uuid,
    p_limit
  ) as page (run_id)
  join pgflow.runs as r on r.run_id = page.run_id
  left join pgflow_realtime.run_seq as counter on counter.run_id = r.run_id
  order by r.started_at desc, r.run_id desc;
end;
$$;
comment on function pgflow_client.list_runs(text, text, text, integer) is
  'The caller''s own runs (every run for service_role), newest first, without input and output. Pass the cursor of the last row as p_before for the next page.';

-- 17-status.sql -----------------------------------------------------------------------------------

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
  -- Wider than what take_over() rewrites: it also finds calls written in another way.
  select proc.oid::regprocedure::text
  from pg_catalog.pg_proc as proc
  where proc.pronamespace = 'pgflow'::regnamespace
    and proc.prokind in ('f', 'p')
    and pg_get_functiondef(proc.oid) ~* '"?realtime"?\s*\.\s*"?send(_binary)?"?\s*\('
  order by 1;
$$;
comment on function pgflow_realtime.functions_still_sending() is
  'Functions of pgflow that broadcast by themselves: none after take_over().';

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

create or replace function pgflow_realtime.problems()
returns setof text
language plpgsql
stable
set search_path = ''
as $$
begin
  return query
  select format('The trigger %s on pgflow.%s is missing or disabled: run the migration again.',
    expected.name, expected.relation)
  from (values
    ('runs', 'pinia_pgflow_run_start'),
    ('runs', 'pinia_pgflow_run_change'),
    ('step_states', 'pinia_pgflow_step_insert'),
    ('step_states', 'pinia_pgflow_step_change'),
    ('step_states', 'pinia_pgflow_step_progress'),
    ('step_tasks', 'pinia_pgflow_task_retry')
  ) as expected (relation, name)
  -- pgflow before 0.7 has no map steps, whose progress could be told.
  where (expected.name <> 'pinia_pgflow_step_progress' or pgflow_realtime.has_step_column('initial_tasks'))
    and not exists (
    select 1
    from pg_catalog.pg_trigger as trigger
    where trigger.tgrelid = to_regclass('pgflow.' || expected.relation)
      and trigger.tgname = expected.name
      and trigger.tgenabled in ('O', 'A')
  );

  return query
  select format('%s broadcasts by itself, publicly: run pgflow_realtime.take_over().', name)
  from pgflow_realtime.functions_still_sending() as name;

  if pgflow_realtime.is_private() then
    return query
    select format('The policy %s on realtime.messages is missing: run pgflow_realtime.create_policies().', name)
    from unnest(array[
      'pinia_pgflow_listen', 'pinia_pgflow_listen_to_own_only', 'pinia_pgflow_send_nothing',
      'pinia_pgflow_change_nothing'
    ]) as name
    where not exists (
      select 1
      from pg_catalog.pg_policy as policy
      where policy.polrelid = 'realtime.messages'::regclass and policy.polname = name
    );
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
  -- Known only where PostgREST is configured in the database; null where it is configured outside.
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
    'settings', (select to_jsonb(setting) - 'only_row' from pgflow_realtime.settings as setting),
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

-- 18-grants.sql -----------------------------------------------------------------------------------

-- Nothing is for everybody: Postgres lets everyone execute a new function, and a project may have
-- default privileges of its own.
revoke all on all tables in schema pgflow_client, pgflow_realtime
from public, anon, authenticated, service_role;
revoke all on all functions in schema pgflow_client, pgflow_realtime
from public, anon, authenticated, service_role;
revoke all on schema pgflow_client, pgflow_realtime
from public, anon, authenticated, service_role;

grant usage on schema pgflow_client to anon, authenticated, service_role;
grant execute on function
  pgflow_client.start_flow_with_states(text, jsonb, uuid),
  pgflow_client.get_run_with_states(uuid),
  pgflow_client.get_runs_with_states(uuid[]),
  pgflow_client.list_runs(text, text, text, integer),
  pgflow_client.get_flow(text)
to anon, authenticated, service_role;

-- Policies call it on behalf of whoever joins a channel. By name nobody can: the schema is closed.
grant execute on function pgflow_realtime.may_listen(text) to public;

-- 19-index.sql ------------------------------------------------------------------------------------

-- Snapshots read step_states by run_id. pgflow 0.4 and newer have an index for it; one is made
-- only where there is none on exactly that column.
do $$
begin
  if to_regnamespace('pgflow_realtime') is not null and not exists (
    select 1
    from pg_catalog.pg_index as index
    join pg_catalog.pg_attribute as attribute
      on attribute.attrelid = index.indrelid and attribute.attnum = index.indkey[0]
    where index.indrelid = 'pgflow.step_states'::regclass
      and index.indnatts = 1
      and index.indpred is null
      and attribute.attname = 'run_id'
  ) then
    create index idx_step_states_run_only on pgflow.step_states (run_id);
    comment on index pgflow.idx_step_states_run_only is 'Made by pinia-pgflow.';
  end if;
end;
$$;

-- list_runs reads all runs newest first for service_role. Nothing that changes while a run is under
-- way is in it.
do $$
begin
  if to_regnamespace('pgflow_realtime') is not null
    and to_regclass('pgflow.pinia_pgflow_runs_newest') is null then
    create index pinia_pgflow_runs_newest on pgflow.runs (started_at desc, run_id desc);
    comment on index pgflow.pinia_pgflow_runs_newest is 'Made by pinia-pgflow.';
  end if;
end;
$$;

-- 20-reload.sql -----------------------------------------------------------------------------------

-- Tells PostgREST about the new functions.
notify pgrst, 'reload schema';
