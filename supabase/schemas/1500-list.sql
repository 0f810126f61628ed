-- Lists of runs, newest first, in pages. A cursor is the position of a row in that order, so a page
-- neither repeats nor skips a run when others are added or removed.
create or replace function pgflow_realtime.check_list(p_before text, p_limit integer)
returns void
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_is_cursor boolean := true;
begin
  if pgflow_realtime.caller_id() is null and not pgflow_realtime.sees_everything() then
    raise exception using
      errcode = 'PT401',
      message = 'Sign in to list your runs.',
      detail = 'A list holds the runs that the signed-in user started, and nobody is signed in.',
      hint = 'Sign in first (an anonymous sign-in will do), or read single runs by their id.';
  end if;
  if p_limit is null or p_limit < 1 or p_limit > 100 then
    raise exception using
      errcode = 'PT422',
      message = format('A page of %s runs is not possible.', coalesce(p_limit::text, 'null')),
      detail = 'p_limit is the number of runs in a page.',
      hint = 'Ask for 1 to 100 runs.';
  end if;
  begin
    -- The cast fails for a text that only looks like a time.
    v_is_cursor := p_before is null or p_before ~ '^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?\+00:00 [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$'
      and split_part(p_before, ' ', 1)::timestamptz is not null;
  exception
    when datetime_field_overflow or invalid_datetime_format then
      v_is_cursor := false;
  end;
  if not v_is_cursor then
    raise exception using
      errcode = 'PT422',
      message = 'The cursor is not one that list_runs returned.',
      detail = format('p_before is %L.', left(p_before, 100)),
      hint = 'Pass the "cursor" of the last row of the page before, or null for the first page.';
  end if;
end;
$$;
comment on function pgflow_realtime.check_list(text, integer) is
  'Raises PT401 or PT422 when the caller cannot list runs like this.';

create or replace function pgflow_realtime.page_of_runs(
  p_flow_slug text, p_status text, p_started_at timestamptz, p_run_id uuid, p_limit integer
)
returns setof uuid
language plpgsql
stable
rows 20
security definer
set search_path = ''
as $$
begin
  -- Two statements, since each reads its own index in order.
  if pgflow_realtime.sees_everything() then
    return query
    select run.run_id
    from pgflow.runs as run
    where (p_flow_slug is null or run.flow_slug = p_flow_slug)
      and (p_status is null or run.status = p_status)
      and (p_run_id is null or (run.started_at, run.run_id) < (p_started_at, p_run_id))
    order by run.started_at desc, run.run_id desc
    limit p_limit;
  else
    return query
    select run.run_id
    from pgflow_realtime.run_owners as owned
    join pgflow.runs as run on run.run_id = owned.run_id
    where owned.owner = pgflow_realtime.caller_id()
      and (p_flow_slug is null or run.flow_slug = p_flow_slug)
      and (p_status is null or run.status = p_status)
      and (p_run_id is null or (owned.started_at, owned.run_id) < (p_started_at, p_run_id))
    order by owned.started_at desc, owned.run_id desc
    limit p_limit;
  end if;
end;
$$;
comment on function pgflow_realtime.page_of_runs(text, text, timestamptz, uuid, integer) is
  'The ids of a page of the runs that the caller may list.';

create or replace function pgflow_client.list_runs(
  p_flow_slug text default null,
  p_status text default null,
  p_before text default null,
  p_limit integer default 20
)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
set timezone = 'UTC'
as $$
begin
  perform pgflow_realtime.check_list(p_before, p_limit);
  return (
    select coalesce(
      jsonb_agg(
        jsonb_build_object(
          'run', pgflow_realtime.run_projection(whole.run, whole.run ->> 'error_message')
            - array['input', 'output'],
          'seq', coalesce(counter.seq, pgflow_realtime.seq_without_counter()),
          'cursor', (whole.run ->> 'started_at') || ' ' || r.run_id
        )
        order by r.started_at desc, r.run_id desc
      ),
      '[]'::jsonb
    )
    from pgflow_realtime.page_of_runs(
      p_flow_slug,
      p_status,
      split_part(p_before, ' ', 1)::timestamptz,
      split_part(p_before, ' ', 2)::uuid,
      p_limit
    ) as page (run_id)
    join pgflow.runs as r on r.run_id = page.run_id
    -- One index scan for each run, however many runs there are.
    left join lateral (
      select of_run.* from pgflow_realtime.run_seq as of_run where of_run.run_id = r.run_id offset 0
    ) as counter on true,
    lateral (select pgflow_realtime.run_row(r, counter.error_message)) as whole (run)
  );
end;
$$;
comment on function pgflow_client.list_runs(text, text, text, integer) is
  'The caller''s own runs (every run for service_role), newest first, without input and output, as an array of {run, seq, cursor}. Pass the cursor of the last as p_before for the next page.';
