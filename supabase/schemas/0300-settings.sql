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
