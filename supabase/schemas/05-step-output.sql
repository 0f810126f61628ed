create or replace function pgflow_realtime.step_output(p_state jsonb)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_run_id uuid := p_state ->> 'run_id';
  v_step_slug text := p_state ->> 'step_slug';
  v_is_map boolean := false;
begin
  if p_state ->> 'status' <> 'completed' then
    return null;
  end if;

  -- pgflow 0.11 and newer keep it with the step.
  if p_state ? 'output' then
    return p_state -> 'output';
  end if;

  -- pgflow 0.7 brought map steps, and initial_tasks with them.
  if p_state ? 'initial_tasks' then
    select step.step_type = 'map' into v_is_map
    from pgflow.steps as step
    where step.flow_slug = p_state ->> 'flow_slug' and step.step_slug = v_step_slug;
  end if;
  if v_is_map then
    return (
      select coalesce(jsonb_agg(task.output order by task.task_index), '[]'::jsonb)
      from pgflow.step_tasks as task
      where task.run_id = v_run_id and task.step_slug = v_step_slug and task.status = 'completed'
    );
  end if;
  return (
    select task.output
    from pgflow.step_tasks as task
    where task.run_id = v_run_id and task.step_slug = v_step_slug and task.status = 'completed'
    limit 1
  );
end;
$$;
comment on function pgflow_realtime.step_output(jsonb) is
  'The output of a completed step, given its row as JSON: of its only task, or of a map step''s tasks in order. Null for any other step.';
