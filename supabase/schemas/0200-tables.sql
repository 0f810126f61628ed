-- The tables. None refers to pgflow's: a foreign key would prevent `truncate`, and would require a
-- restore to load the tables in one order. Triggers on pgflow.runs clear them instead.

-- Narrow rows with free space on their pages, so that counting is an in-place update.
create table if not exists pgflow_realtime.run_seq (
  run_id uuid primary key,
  seq bigint not null,
  error_message text
) with (fillfactor = 50);
comment on table pgflow_realtime.run_seq is
  'One row a run: the seq of its last broadcast, and the error that its run:failed had.';

create table if not exists pgflow_realtime.run_owners (
  run_id uuid primary key,
  owner text not null,
  started_at timestamptz not null
);
comment on table pgflow_realtime.run_owners is
  'The signed-in user who started a run; no row for a run that nobody signed in started.';
do $$
begin
  -- Checked first: `create index if not exists` would wait for everyone who writes to the table.
  if to_regclass('pgflow_realtime.run_owners_newest') is null then
    create index run_owners_newest
    on pgflow_realtime.run_owners (owner, started_at desc, run_id desc);
  end if;
end;
$$;

-- No reference to pgflow.flows either: a worker may create the flow after the migration that allows
-- its start, and may create it again.
create table if not exists pgflow_realtime.allowed_starts (
  flow_slug text not null,
  role_name name not null,
  primary key (flow_slug, role_name)
);
comment on table pgflow_realtime.allowed_starts is
  'Which role may start which flow over the API; see pgflow_client.allow_start().';

create or replace function pgflow_realtime.merge_counter()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  update pgflow_realtime.run_seq as counter
  set seq = greatest(counter.seq, new.seq),
    error_message = coalesce(new.error_message, counter.error_message)
  where counter.run_id = new.run_id;
  if found then
    return null;
  end if;
  return new;
end;
$$;
comment on function pgflow_realtime.merge_counter() is
  'Lets a restore load counters of runs whose insertion was counted already.';
create or replace function pgflow_realtime.forget_deleted_runs()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
  -- An array: joined to the table of deleted rows, ours would be read from end to end.
  v_run_ids uuid[] := array(select gone.run_id from gone);
begin
  delete from pgflow_realtime.run_seq where run_id = any (v_run_ids);
  delete from pgflow_realtime.run_owners where run_id = any (v_run_ids);
  return null;
end;
$$;
comment on function pgflow_realtime.forget_deleted_runs() is
  'Removes what is kept beside runs that were deleted.';

create or replace function pgflow_realtime.forget_all_runs()
returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
  truncate pgflow_realtime.run_seq, pgflow_realtime.run_owners;
  return null;
end;
$$;
comment on function pgflow_realtime.forget_all_runs() is
  'Removes what is kept beside runs when pgflow.runs is truncated.';
