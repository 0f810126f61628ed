-- What depends on pgflow and on the settings, each left alone where it is as it should be. The
-- tables come first and in one lock, before anything else that a worker could wait for.
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

-- What only the first edition used is not dropped while somebody may be in the middle of it: the
-- first run of this file marks it, the next one drops it.
do $$
declare
  v_part record;
begin
  for v_part in
    select *
    from (values
      ('function', 'pgflow_realtime.on_step_change()'),
      ('function', 'pgflow_realtime.on_step_progress()'),
      ('function', 'pgflow_realtime.on_run_start()'),
      ('function', 'pgflow_realtime.on_run_change()'),
      ('function', 'pgflow_realtime.send(text,text,jsonb,pgflow_realtime.settings)'),
      ('function', 'pgflow.pinia_pgflow_silence(jsonb,text,text,boolean)'),
      ('table', 'pgflow_realtime.settings')
    ) as part (kind, name)
  loop
    if v_part.kind = 'function' and to_regprocedure(v_part.name) is null
      or v_part.kind = 'table' and to_regclass(v_part.name) is null then
      continue;
    end if;
    if coalesce(
      obj_description(to_regprocedure(v_part.name), 'pg_proc'),
      obj_description(to_regclass(v_part.name), 'pg_class')
    ) like 'Unused since %' then
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
