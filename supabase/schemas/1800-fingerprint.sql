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
