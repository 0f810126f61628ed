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
