-- When the functions above run.
create or replace trigger pinia_pgflow_step_change
after update on pgflow.step_states
for each row
when (
  old.status <> new.status
  or new.status <> 'created'
  and (
    old.failed_at is distinct from new.failed_at
    or old.completed_at is distinct from new.completed_at
    or old.started_at is distinct from new.started_at
  )
)
execute function pgflow_realtime.on_step_change();

-- pgflow creates steps as "created", which a client learns from the snapshot.
create or replace trigger pinia_pgflow_step_insert
after insert on pgflow.step_states
for each row
when (new.status <> 'created')
execute function pgflow_realtime.on_step_change();

-- pgflow before 0.7 has no map steps and no initial_tasks. At most 50 messages a step, the last of
-- which is its completion: one whenever another fiftieth of its tasks is done.
do $$
begin
  if exists (
    select 1
    from pg_catalog.pg_attribute as attribute
    where attribute.attrelid = 'pgflow.step_states'::regclass and attribute.attname = 'initial_tasks'
  ) then
    create or replace trigger pinia_pgflow_step_progress
    after update on pgflow.step_states
    for each row
    when (
      old.status = 'started'
      and new.status = 'started'
      and new.remaining_tasks < old.remaining_tasks
      and (new.initial_tasks - new.remaining_tasks)::bigint * 50 / nullif(new.initial_tasks, 0)
        > (old.initial_tasks - old.remaining_tasks)::bigint * 50 / nullif(new.initial_tasks, 0)
    )
    execute function pgflow_realtime.on_step_progress();
  end if;
end;
$$;

create or replace trigger pinia_pgflow_task_retry
after update on pgflow.step_tasks
for each row
when (old.status = 'started' and new.status = 'queued')
execute function pgflow_realtime.on_task_retry();

create or replace trigger pinia_pgflow_run_start
after insert on pgflow.runs
for each row
execute function pgflow_realtime.on_run_start();

-- Deferred: pgflow sometimes fails a run a statement before it fails the step that is the reason,
-- and a client should hear the end of a run last.
drop trigger if exists pinia_pgflow_run_change on pgflow.runs;
create constraint trigger pinia_pgflow_run_change
after update on pgflow.runs
deferrable initially deferred
for each row
when (
  old.status <> new.status
  or old.failed_at is distinct from new.failed_at
  or old.completed_at is distinct from new.completed_at
  or old.started_at is distinct from new.started_at
)
execute function pgflow_realtime.on_run_change();
