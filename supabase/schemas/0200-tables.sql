-- What a run has broadcast so far. Narrow and with room on its pages, so that counting is an
-- in-place update.
create table if not exists pgflow_realtime.run_seq (
  run_id uuid primary key references pgflow.runs (run_id) on delete cascade,
  seq bigint not null,
  error_message text
) with (fillfactor = 50);
comment on table pgflow_realtime.run_seq is
  'One row a run: the seq of its last broadcast, and the error its run:failed told.';
