-- What depends on pgflow and on the settings. Each part is left alone if it is already right. The
-- tables are locked first and together, before anything else that a worker could wait for.
do $$
begin
  perform pgflow_realtime.take_turn();
  perform pgflow_realtime.note_pgflow_version();
  perform pgflow_realtime.ensure_triggers();
  perform pgflow_realtime.take_over();
  if pgflow_realtime.is_private() then
    perform pgflow_realtime.create_policies();
  end if;
end;
$$;

-- What only the first edition used may still be in use: the first run of this file marks it, the
-- next one drops it.
do $$
declare
  v_part record;
begin
  -- Looked up by name: Postgres before 16 fails if a signature names a type that does not exist.
  for v_part in
    select 'function' as kind, proc.oid::regprocedure::text as name,
      obj_description(proc.oid, 'pg_proc') as note
    from pg_catalog.pg_proc as proc
    where (proc.pronamespace::regnamespace::text, proc.proname) in (
      ('pgflow_realtime', 'on_step_change'),
      ('pgflow_realtime', 'on_step_progress'),
      ('pgflow_realtime', 'on_run_start'),
      ('pgflow_realtime', 'on_run_change'),
      ('pgflow_realtime', 'send'),
      ('pgflow', 'pinia_pgflow_silence')
    )
    union all
    select 'table', class.oid::regclass::text, obj_description(class.oid, 'pg_class')
    from pg_catalog.pg_class as class
    where class.oid = to_regclass('pgflow_realtime.settings')
    -- The table after the function that takes a row of it.
    order by kind
  loop
    if v_part.note like 'Unused since %' then
      execute format('drop %s %s', v_part.kind, v_part.name);
    else
      execute format('comment on %s %s is %L', v_part.kind, v_part.name,
        'Unused since the second edition of pinia-pgflow; dropped when the migration runs again.');
    end if;
  end loop;
  perform pgflow_realtime.put_constant('installed', 'text'::regtype,
    pgflow_realtime.definitions() || ' ' || pgflow_realtime.fingerprint(),
    'What is installed: which definitions, and what they became in this database.');
end;
$$;

do $$
declare
  v_problem text;
begin
  for v_problem in select * from pgflow_realtime.problems() loop
    raise warning 'pinia-pgflow: %', v_problem;
  end loop;
end;
$$;
