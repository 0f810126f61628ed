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
