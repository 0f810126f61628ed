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
