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
