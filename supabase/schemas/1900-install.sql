-- Snapshots read step_states by run_id. pgflow 0.4 and newer have an index for it; one is made
-- only where there is none on exactly that column.
do $$
begin
  if to_regnamespace('pgflow_realtime') is not null and not exists (
    select 1
    from pg_catalog.pg_index as index
    join pg_catalog.pg_attribute as attribute
      on attribute.attrelid = index.indrelid and attribute.attnum = index.indkey[0]
    where index.indrelid = 'pgflow.step_states'::regclass
      and index.indnatts = 1
      and index.indpred is null
      and attribute.attname = 'run_id'
  ) then
    create index idx_step_states_run_only on pgflow.step_states (run_id);
    comment on index pgflow.idx_step_states_run_only is 'Made by pinia-pgflow.';
  end if;
end;
$$;

-- list_runs reads all runs newest first for service_role. Nothing that changes while a run is under
-- way is in it.
do $$
begin
  if to_regnamespace('pgflow_realtime') is not null
    and to_regclass('pgflow.pinia_pgflow_runs_newest') is null then
    create index pinia_pgflow_runs_newest on pgflow.runs (started_at desc, run_id desc);
    comment on index pgflow.pinia_pgflow_runs_newest is 'Made by pinia-pgflow.';
  end if;
end;
$$;
