-- Removes pinia-pgflow from a database. pgflow's functions are restored exactly and broadcast again
-- by themselves; runs and their data stay. Run it as the database owner, as a migration or with
-- "psql -1 -v ON_ERROR_STOP=1 -f". Then remove pgflow_client from the exposed schemas. Workers may
-- run meanwhile.
--
-- Objects of the project that depend on these schemas (views, policies, functions in SQL) are
-- dropped with them.
do $$
declare
  v_part record;
  v_is_called boolean;
  v_silenced constant text := '/* silenced by pinia-pgflow */ false and null::record = row(';
  v_lock_timeout text := current_setting('lock_timeout');
begin
  if to_regnamespace('pgflow_realtime') is null then
    raise notice 'pinia-pgflow is not installed in this database.';
    return;
  end if;
  perform pg_advisory_xact_lock(7474273106942133);

  -- The tables first, all at once and in one order, as in the installation: a worker waits for a
  -- moment, and there can be no deadlock.
  if to_regclass('pgflow.runs') is not null then
    for v_attempt in 1 .. 600 loop
      begin
        perform set_config('lock_timeout', '100ms', true);
        lock table pgflow.runs, pgflow.step_states, pgflow.step_tasks,
          pgflow_realtime.run_seq, pgflow_realtime.run_owners in access exclusive mode;
        if exists (
          select 1
          from pg_catalog.pg_policy as policy
          where policy.polrelid = to_regclass('realtime.messages') and policy.polname like 'pinia\_pgflow\_%'
        ) then
          lock table only realtime.messages in access exclusive mode;
        end if;
        exit;
      exception
        when lock_not_available or deadlock_detected then
          if v_attempt = 600 then
            raise exception using
              errcode = 'lock_not_available',
              message = 'The tables of pgflow were in use for over a minute.',
              hint = 'Look for a transaction that stays open (select * from pg_stat_activity order by xact_start), end it, and run this again. Nothing was changed.';
          end if;
          perform pg_sleep(0.02 + random() * 0.08);
      end;
    end loop;
    perform set_config('lock_timeout', v_lock_timeout, true);
  end if;

  if to_regclass('realtime.messages') is not null then
    begin
      for v_part in
        select policy.polname
        from pg_catalog.pg_policy as policy
        where policy.polrelid = 'realtime.messages'::regclass and policy.polname like 'pinia\_pgflow\_%'
      loop
        execute format('drop policy %I on realtime.messages', v_part.polname);
      end loop;
    exception
      when insufficient_privilege then
        raise exception using
          errcode = 'insufficient_privilege',
          message = format('The role "%s" may not drop the policies that pinia-pgflow made on realtime.messages.', current_user),
          detail = format('Private runs need them, and Postgres says: %s.', sqlerrm),
          hint = 'Run this in the SQL editor of the Supabase dashboard, whose role may change policies there where that of "supabase db push" may not; or as a member of the role that owns the table. Nothing was changed.';
    end;
  end if;

  if to_regnamespace('pgflow') is not null then
    v_is_called := exists (
      select 1
      from pg_catalog.pg_proc as proc
      where proc.pronamespace = 'pgflow'::regnamespace
        and strpos(proc.prosrc, 'pgflow.pinia_pgflow_silence(') > 0
    );
    -- As in give_back(). The first edition's also dropped the function that workers were calling.
    for v_part in
      select pg_get_functiondef(proc.oid) as definition
      from pg_catalog.pg_proc as proc
      where proc.pronamespace = 'pgflow'::regnamespace
        and proc.prokind in ('f', 'p')
        and (
          strpos(proc.prosrc, v_silenced) > 0
          or strpos(proc.prosrc, 'pgflow.pinia_pgflow_silence(') > 0
        )
    loop
      execute replace(
        replace(v_part.definition, v_silenced, 'realtime.send('),
        'pgflow.pinia_pgflow_silence(', 'realtime.send('
      );
    end loop;
    if to_regprocedure('pgflow.pinia_pgflow_silence(jsonb, text, text, boolean)') is null then
      null;
    elsif v_is_called then
      raise notice 'pgflow.pinia_pgflow_silence stays, since a worker may be about to call it. Drop it when you like.';
    else
      drop function pgflow.pinia_pgflow_silence(jsonb, text, text, boolean);
    end if;
  end if;

  for v_part in
    select trigger.tgname, trigger.tgrelid::regclass as relation
    from pg_catalog.pg_trigger as trigger
    where trigger.tgrelid in (to_regclass('pgflow.runs'), to_regclass('pgflow.step_states'), to_regclass('pgflow.step_tasks'))
      and trigger.tgname like 'pinia\_pgflow\_%'
  loop
    execute format('drop trigger %I on %s', v_part.tgname, v_part.relation);
  end loop;
  if obj_description(to_regclass('pgflow.idx_step_states_run_only')) = 'Made by pinia-pgflow.' then
    drop index pgflow.idx_step_states_run_only;
  end if;
  drop index if exists pgflow.pinia_pgflow_runs_newest;
end;
$$;

drop schema if exists pgflow_client cascade;
drop schema if exists pgflow_realtime cascade;

notify pgrst, 'reload schema';
