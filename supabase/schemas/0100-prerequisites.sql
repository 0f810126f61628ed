-- Refuses to install if something that it depends on is missing. The schemas are created in the
-- same statement, and everything after it needs them: a runner that continues after an error
-- therefore installs nothing.
do $$
declare
  v_missing text;
begin
  v_missing := case
    when to_regclass('pgflow.runs') is null then 'the table pgflow.runs'
    when to_regclass('pgflow.step_states') is null then 'the table pgflow.step_states'
    when to_regclass('pgflow.step_tasks') is null then 'the table pgflow.step_tasks'
    when not exists (
      select 1
      from pg_catalog.pg_attribute as attribute
      where attribute.attrelid = to_regclass('pgflow.step_states')
        and attribute.attname = 'error_message'
    ) then 'the column error_message of pgflow.step_states'
  end;
  if v_missing is not null then
    raise exception using
      errcode = 'object_not_in_prerequisite_state',
      message = 'pinia-pgflow needs pgflow 0.4 or newer, and this database does not have '
        || v_missing || '.',
      hint = 'Install or upgrade pgflow first (https://www.pgflow.dev), then run this migration '
        'again. Nothing was changed.';
  end if;

  if to_regprocedure('realtime.send(jsonb, text, text, boolean)') is null then
    raise exception using
      errcode = 'object_not_in_prerequisite_state',
      message = 'pinia-pgflow needs Supabase Realtime, and this database does not have the '
        'function realtime.send(payload, event, topic, private).',
      hint = 'Run this migration in a Supabase project whose Realtime service is on and up to '
        'date. Nothing was changed.';
  end if;

  create schema if not exists pgflow_client;
  create schema if not exists pgflow_realtime;
end;
$$;

comment on schema pgflow_client is
  'pinia-pgflow: the functions an application calls. The only one of its schemas to expose over the API.';
comment on schema pgflow_realtime is
  'pinia-pgflow: broadcasts every change of pgflow runs and steps. Internal; not for the API.';
