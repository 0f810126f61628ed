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

create or replace function pgflow_realtime.check_run_ids(p_run_ids uuid[])
returns void
language plpgsql
immutable
set search_path = ''
as $$
begin
  if cardinality(p_run_ids) > 200 then
    raise exception using
      errcode = 'PT422',
      message = format('%s runs are too many to read at once.', cardinality(p_run_ids)),
      detail = 'p_run_ids takes at most 200 run ids.',
      hint = 'Read them in several calls.';
  end if;
end;
$$;
comment on function pgflow_realtime.check_run_ids(uuid[]) is
  'Raises PT422 when more runs are asked for than can be read at once.';

-- Several runs are returned as one value: a project limits the rows of a response, and drops the
-- rest without an error. A function cannot change its return type, so the first edition's is
-- dropped.
do $$
begin
  if (
    select proc.proretset
    from pg_catalog.pg_proc as proc
    where proc.oid = to_regprocedure('pgflow_client.get_runs_with_states(uuid[])')
  ) then
    drop function pgflow_client.get_runs_with_states(uuid[]);
  end if;
  if (
    select proc.proretset
    from pg_catalog.pg_proc as proc
    where proc.oid = to_regprocedure('pgflow_client.list_runs(text, text, text, integer)')
  ) then
    drop function pgflow_client.list_runs(text, text, text, integer);
  end if;
end;
$$;

create or replace function pgflow_client.get_runs_with_states(p_run_ids uuid[])
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  perform pgflow_realtime.check_run_ids(p_run_ids);
  return (
    select coalesce(jsonb_agg(to_jsonb(snapshot)), '[]'::jsonb)
    from pgflow_realtime.snapshots(p_run_ids) as snapshot
  );
end;
$$;
comment on function pgflow_client.get_runs_with_states(uuid[]) is
  'What get_run_with_states returns for up to 200 runs, all at one moment, as an array of {run, steps, seq} in no particular order.';

create or replace function pgflow_client.get_run_seqs(p_run_ids uuid[])
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_sees_all boolean := not pgflow_realtime.is_private() or pgflow_realtime.sees_everything();
begin
  perform pgflow_realtime.check_run_ids(p_run_ids);
  return (
    select coalesce(jsonb_object_agg(read.run_id, read.seq) filter (where read.seq is not null), '{}'::jsonb)
    from (
      select
        asked.run_id,
        coalesce(
          (select counter.seq from pgflow_realtime.run_seq as counter where counter.run_id = asked.run_id),
          (select pgflow_realtime.seq_without_counter() from pgflow.runs as run where run.run_id = asked.run_id)
        ) as seq
      from unnest(p_run_ids) as asked (run_id)
      where asked.run_id is not null
        and (v_sees_all or pgflow_realtime.owns(asked.run_id))
    ) as read
  );
end;
$$;
comment on function pgflow_client.get_run_seqs(uuid[]) is
  'The seq of each of up to 200 runs, {run_id: seq}, without those that are unknown or not for the caller: whether something was missed.';

create or replace function pgflow_client.api_version()
returns integer
language sql
immutable
set search_path = ''
as $$
  select 2;
$$;
comment on function pgflow_client.api_version() is
  'Counts the changes of these functions that a client has to know of, so that it can say which side is older. There was none in 1.';

create or replace function pgflow_client.get_flow(p_flow_slug text)
returns table (flow_slug text, steps jsonb)
language sql
stable
security definer
set search_path = ''
as $$
  select
    flow.flow_slug,
    (
      select coalesce(
        jsonb_agg(
          jsonb_build_object(
            'step_slug', step.step_slug,
            'step_type', coalesce(to_jsonb(step) ->> 'step_type', 'single'),
            'deps', (
              select coalesce(jsonb_agg(dep.dep_slug order by dep.dep_slug), '[]'::jsonb)
              from pgflow.deps as dep
              where dep.flow_slug = step.flow_slug and dep.step_slug = step.step_slug
            )
          )
          order by step.step_index
        ),
        '[]'::jsonb
      )
      from pgflow.steps as step
      where step.flow_slug = flow.flow_slug
    )
  from pgflow.flows as flow
  where flow.flow_slug = p_flow_slug;
$$;
comment on function pgflow_client.get_flow(text) is
  'The steps of a flow in topological order, each with its type (single or map) and the steps it depends on; no row for an unknown flow.';
