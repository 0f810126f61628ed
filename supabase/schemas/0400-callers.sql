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
