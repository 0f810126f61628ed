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
