-- What a run has broadcast so far. Narrow and with room on its pages, so that counting is an
-- in-place update.
create table if not exists pgflow_realtime.run_seq (
  run_id uuid primary key references pgflow.runs (run_id) on delete cascade,
  seq bigint not null,
  error_message text
) with (fillfactor = 50);
comment on table pgflow_realtime.run_seq is
  'One row a run: the seq of its last broadcast, and the error its run:failed told.';

create or replace function pgflow_realtime.next_seq(p_run_id uuid)
returns bigint
language sql
security definer
set search_path = ''
as $$
  -- The row stays locked until commit, which is what puts seq in commit order. Whoever changes a
  -- run or its steps already holds the run's own row, so nobody waits here who did not wait there.
  insert into pgflow_realtime.run_seq as counter (run_id, seq)
  values (p_run_id, 1)
  on conflict (run_id) do update set seq = counter.seq + 1
  returning counter.seq;
$$;
comment on function pgflow_realtime.next_seq(uuid) is
  'Counts one broadcast of a run: 1, 2, 3 … without gaps, in commit order.';
