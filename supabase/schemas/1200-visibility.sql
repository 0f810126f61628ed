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
