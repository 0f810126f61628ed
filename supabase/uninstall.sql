-- Removes pinia-pgflow from a database: pgflow's functions are restored to the letter and broadcast
-- again by themselves, runs and their data stay. Run it as the database owner, as a migration or
-- with "psql -1 -v ON_ERROR_STOP=1 -f". Then take pgflow_client out of the exposed schemas.
--
-- What the project itself built on these schemas (views, policies, functions in SQL) goes with
-- them.
do $$
begin
  if to_regnamespace('pgflow_realtime') is null then
    raise notice 'pinia-pgflow is not installed in this database.';
    return;
  end if;
  if to_regnamespace('pgflow') is not null then
    perform pgflow_realtime.give_back();
  end if;
  if to_regclass('realtime.messages') is not null then
    perform pgflow_realtime.drop_policies();
  end if;
  if obj_description(to_regclass('pgflow.idx_step_states_run_only')) = 'Made by pinia-pgflow.' then
    drop index pgflow.idx_step_states_run_only;
  end if;
end;
$$;

drop trigger if exists pinia_pgflow_run_start on pgflow.runs;
drop trigger if exists pinia_pgflow_run_change on pgflow.runs;
drop trigger if exists pinia_pgflow_step_insert on pgflow.step_states;
drop trigger if exists pinia_pgflow_step_change on pgflow.step_states;
drop trigger if exists pinia_pgflow_step_progress on pgflow.step_states;
drop trigger if exists pinia_pgflow_task_retry on pgflow.step_tasks;

drop index if exists pgflow.pinia_pgflow_runs_newest;

drop schema if exists pgflow_client cascade;
drop schema if exists pgflow_realtime cascade;

notify pgrst, 'reload schema';
