-- pgflow sends its own broadcasts from inside its functions: publicly, without seq, and some of
-- them twice or never. Taking over replaces each of those calls by a constant: `false and …` is
-- decided when Postgres plans the statement, so the payload is not computed, and nothing of
-- pinia-pgflow is called. A worker in the middle of such a function can therefore continue while
-- pinia-pgflow is installed or removed.
create or replace function pgflow_realtime.silenced_call()
returns text
language sql
immutable
set search_path = ''
as $$
  select '/* silenced by pinia-pgflow */ false and null::record = row(';
$$;
comment on function pgflow_realtime.silenced_call() is
  'What stands in pgflow''s functions for "realtime.send(" while pinia-pgflow broadcasts.';

create or replace function pgflow_realtime.replace_in_pgflow(p_search text, p_replacement text)
returns setof text
language plpgsql
set search_path = ''
as $$
declare
  v_function record;
begin
  perform pgflow_realtime.take_turn();
  for v_function in
    select proc.oid, proc.oid::regprocedure::text as name, pg_get_functiondef(proc.oid) as definition
    from pg_catalog.pg_proc as proc
    where proc.pronamespace = 'pgflow'::regnamespace
      and proc.prokind in ('f', 'p')
      and proc.proname <> 'pinia_pgflow_silence'
      and strpos(proc.prosrc, p_search) > 0
    order by 2
  loop
    begin
      execute replace(v_function.definition, p_search, p_replacement);
      return next v_function.name;
    exception
      -- A call in another form, with named arguments: status() reports it.
      when syntax_error then
        raise warning 'pinia-pgflow could not rewrite %: %', v_function.name, sqlerrm;
    end;
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
  return query
  select name
  from pgflow_realtime.replace_in_pgflow('realtime.send(', pgflow_realtime.silenced_call()) as name
  union
  -- What the first edition had put there.
  select name
  from pgflow_realtime.replace_in_pgflow('pgflow.pinia_pgflow_silence(', pgflow_realtime.silenced_call()) as name
  order by 1;
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
  select name
  from pgflow_realtime.replace_in_pgflow(pgflow_realtime.silenced_call(), 'realtime.send(') as name
  union
  select name
  from pgflow_realtime.replace_in_pgflow('pgflow.pinia_pgflow_silence(', 'realtime.send(') as name
  order by 1;
end;
$$;
comment on function pgflow_realtime.give_back() is
  'Undoes take_over() to the letter. Returns the functions it restored.';
