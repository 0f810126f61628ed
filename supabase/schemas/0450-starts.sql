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
