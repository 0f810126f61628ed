-- When the functions above run, and how triggers are replaced while workers run.
create or replace function pgflow_realtime.expected_triggers()
returns table (relation regclass, name name, definition text)
language sql
stable
set search_path = ''
as $$
  -- Written as Postgres writes them, so that existing ones can be compared. `of column`: a `when`
  -- clause is prepared for every statement that updates a row, while a column that is not set costs
  -- nothing. pgflow always sets the status together with what belongs to it.
  select ('pgflow.' || expected.relation)::regclass, expected.name, expected.definition
  from (values
    ('runs', 'pinia_pgflow_run_insert',
      'CREATE TRIGGER pinia_pgflow_run_insert AFTER INSERT ON pgflow.runs FOR EACH ROW EXECUTE FUNCTION pgflow_realtime.on_run_insert()'),
    -- Deferred: pgflow sometimes fails a run one statement before it fails the step that is the
    -- reason, and a client should receive the end of a run last.
    ('runs', 'pinia_pgflow_run_change',
      'CREATE CONSTRAINT TRIGGER pinia_pgflow_run_change AFTER UPDATE OF status, started_at, completed_at, failed_at ON pgflow.runs DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (((old.status <> new.status) OR (old.failed_at IS DISTINCT FROM new.failed_at) OR (old.completed_at IS DISTINCT FROM new.completed_at) OR (old.started_at IS DISTINCT FROM new.started_at))) EXECUTE FUNCTION pgflow_realtime.on_run_update()'),
    ('runs', 'pinia_pgflow_run_delete',
      'CREATE TRIGGER pinia_pgflow_run_delete AFTER DELETE ON pgflow.runs REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION pgflow_realtime.forget_deleted_runs()'),
    ('runs', 'pinia_pgflow_run_truncate',
      'CREATE TRIGGER pinia_pgflow_run_truncate AFTER TRUNCATE ON pgflow.runs FOR EACH STATEMENT EXECUTE FUNCTION pgflow_realtime.forget_all_runs()'),
    ('step_states', 'pinia_pgflow_step_update',
      'CREATE TRIGGER pinia_pgflow_step_update AFTER UPDATE OF status, started_at, completed_at, failed_at ON pgflow.step_states FOR EACH ROW EXECUTE FUNCTION pgflow_realtime.on_step_update'
      || case when pgflow_realtime.has_step_column('initial_tasks') then '' else '_before_maps' end
      || '()'),
    -- pgflow creates steps as "created"; a client receives these in the snapshot.
    ('step_states', 'pinia_pgflow_step_insert',
      'CREATE TRIGGER pinia_pgflow_step_insert AFTER INSERT ON pgflow.step_states FOR EACH ROW WHEN ((new.status <> ''created''::text)) EXECUTE FUNCTION pgflow_realtime.on_step_insert()'),
    -- A task that failed has an error message; one that stalled is counted (pgflow 0.14).
    ('step_tasks', 'pinia_pgflow_task_retry',
      'CREATE TRIGGER pinia_pgflow_task_retry AFTER UPDATE OF error_message'
      || case when exists (
        select 1
        from pg_catalog.pg_attribute as attribute
        where attribute.attrelid = 'pgflow.step_tasks'::regclass
          and attribute.attname = 'requeued_count'
          and not attribute.attisdropped
      ) then ', requeued_count' else '' end
      || ' ON pgflow.step_tasks FOR EACH ROW WHEN (((old.status = ''started''::text) AND (new.status = ''queued''::text))) EXECUTE FUNCTION pgflow_realtime.on_task_retry()')
  ) as expected (relation, name, definition)
  union all
  select 'pgflow_realtime.run_seq'::regclass, 'pinia_pgflow_merge_counter',
    -- Not for rows that a trigger on pgflow's tables inserts: they have no counter yet.
    'CREATE TRIGGER pinia_pgflow_merge_counter BEFORE INSERT ON pgflow_realtime.run_seq FOR EACH ROW WHEN ((pg_trigger_depth() = 0)) EXECUTE FUNCTION pgflow_realtime.merge_counter()';
$$;
comment on function pgflow_realtime.expected_triggers() is
  'The triggers that pinia-pgflow needs, each with its definition as Postgres writes it.';

create or replace function pgflow_realtime.missing_triggers()
returns table (relation regclass, name name, definition text)
language sql
stable
set search_path = ''
as $$
  select expected.relation, expected.name, expected.definition
  from pgflow_realtime.expected_triggers() as expected
  where not exists (
    select 1
    from pg_catalog.pg_trigger as trigger
    where trigger.tgrelid = expected.relation
      and trigger.tgname = expected.name
      and trigger.tgenabled in ('O', 'A')
      and pg_get_triggerdef(trigger.oid) = expected.definition
  );
$$;
comment on function pgflow_realtime.missing_triggers() is
  'Those of the triggers that are not there as they should be.';

create or replace function pgflow_realtime.outdated_parts()
returns setof text
language sql
stable
set search_path = ''
as $$
  -- Unexpected triggers, and the foreign keys of the first edition.
  select format('drop trigger %I on %s', trigger.tgname, trigger.tgrelid::regclass)
  from pg_catalog.pg_trigger as trigger
  where trigger.tgrelid in ('pgflow.runs'::regclass, 'pgflow.step_states'::regclass, 'pgflow.step_tasks'::regclass)
    and trigger.tgname like 'pinia\_pgflow\_%'
    and not exists (
      select 1
      from pgflow_realtime.expected_triggers() as expected
      where expected.relation = trigger.tgrelid and expected.name = trigger.tgname
    )
  union all
  select format('alter table %s drop constraint %I', con.conrelid::regclass, con.conname)
  from pg_catalog.pg_constraint as con
  where con.contype = 'f'
    and con.conrelid in ('pgflow_realtime.run_seq'::regclass, 'pgflow_realtime.run_owners'::regclass);
$$;
comment on function pgflow_realtime.outdated_parts() is
  'The statements that remove what an earlier edition needed.';

create or replace function pgflow_realtime.missing_indexes()
returns setof text
language sql
stable
set search_path = ''
as $$
  -- Snapshots read step_states by run_id. pgflow 0.4 and newer have an index for it; one is created
  -- only if there is none on exactly that column.
  select 'create index idx_step_states_run_only on pgflow.step_states (run_id)'
  where not exists (
    select 1
    from pg_catalog.pg_index as index
    join pg_catalog.pg_attribute as attribute
      on attribute.attrelid = index.indrelid and attribute.attnum = index.indkey[0]
    where index.indrelid = 'pgflow.step_states'::regclass
      and index.indnatts = 1
      and index.indpred is null
      and attribute.attname = 'run_id'
  )
  union all
  -- For service_role, list_runs reads all runs, newest first. No column that changes during a run
  -- is in the index.
  select 'create index pinia_pgflow_runs_newest on pgflow.runs (started_at desc, run_id desc)'
  where to_regclass('pgflow.pinia_pgflow_runs_newest') is null;
$$;
comment on function pgflow_realtime.missing_indexes() is
  'The statements that make the indexes on pgflow''s tables that are not there.';

create or replace function pgflow_realtime.lock_tables(p_tables text)
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_lock_timeout text := current_setting('lock_timeout');
begin
  -- All tables before anything is changed, in one order; released at once if a worker holds one. A
  -- worker never waits longer for this than a tenth of a second a table, so there can be no
  -- deadlock.
  for v_attempt in 1 .. 600 loop
    begin
      perform set_config('lock_timeout', '100ms', true);
      execute format('lock table %s in access exclusive mode', p_tables);
      perform set_config('lock_timeout', v_lock_timeout, true);
      return;
    exception
      when lock_not_available or deadlock_detected then
        perform pg_sleep(0.02 + random() * 0.08);
    end;
  end loop;
  raise exception using
    errcode = 'lock_not_available',
    message = format('The tables %s were in use for over a minute.', p_tables),
    detail = 'pinia-pgflow changes them only while nobody uses them, and waits for no more than a moment at a time.',
    hint = 'Look for a transaction that stays open (select * from pg_stat_activity order by xact_start), end it, and run this again. Nothing was changed.';
end;
$$;
comment on function pgflow_realtime.lock_tables(text) is
  'Takes tables for this transaction without making anybody wait or fail who works on them.';

create or replace function pgflow_realtime.ensure_triggers()
returns void
language plpgsql
set search_path = ''
as $$
declare
  v_statement text;
  v_trigger record;
  v_is_done boolean;
begin
  v_is_done := not exists (select 1 from pgflow_realtime.missing_triggers())
    and not exists (select 1 from pgflow_realtime.outdated_parts())
    and not exists (select 1 from pgflow_realtime.missing_indexes());
  if v_is_done then
    return;
  end if;
  perform pgflow_realtime.lock_tables('pgflow.runs, pgflow.step_states, pgflow.step_tasks, pgflow_realtime.run_seq, pgflow_realtime.run_owners');
  for v_statement in select * from pgflow_realtime.outdated_parts() loop
    execute v_statement;
  end loop;
  for v_trigger in select * from pgflow_realtime.missing_triggers() loop
    execute format('drop trigger if exists %I on %s', v_trigger.name, v_trigger.relation);
    execute v_trigger.definition;
  end loop;
  for v_statement in select * from pgflow_realtime.missing_indexes() loop
    execute v_statement;
    execute format('comment on index pgflow.%I is ''Made by pinia-pgflow.''', split_part(v_statement, ' ', 3));
  end loop;
end;
$$;
comment on function pgflow_realtime.ensure_triggers() is
  'Makes the triggers and indexes as they should be; touches no table where they are.';
