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

create or replace function pgflow_client.get_runs_with_states(p_run_ids uuid[])
returns table (run jsonb, steps jsonb, seq bigint)
language plpgsql
stable
security definer
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
  return query select * from pgflow_realtime.snapshots(p_run_ids);
end;
$$;
comment on function pgflow_client.get_runs_with_states(uuid[]) is
  'The same as get_run_with_states for up to 200 runs, all at one moment, in no particular order.';

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
