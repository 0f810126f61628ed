-- Reading runs.
create or replace function pgflow_client.get_run_with_states(p_run_id uuid)
returns table (run jsonb, steps jsonb, seq bigint)
language sql
stable
security definer
set search_path = ''
as $$
  select * from pgflow_realtime.snapshots(array[p_run_id]);
$$;
comment on function pgflow_client.get_run_with_states(uuid) is
  'A run, its steps and the seq they are true at; no row for a run that is unknown or not for the caller.';
