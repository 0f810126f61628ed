-- One row, one column a setting: typed, checked, and read in one page.
create table if not exists pgflow_realtime.settings (
  only_row boolean primary key default true check (only_row),
  max_payload_bytes integer not null default 200000 check (max_payload_bytes >= 1000),
  step_event_prefix text not null default '' check (step_event_prefix in ('', 'step:')),
  visibility text not null default 'public' check (visibility in ('public', 'private'))
);
comment on table pgflow_realtime.settings is 'The settings of pinia-pgflow, always exactly one row.';
comment on column pgflow_realtime.settings.max_payload_bytes is
  'A broadcast larger than this loses its output and input. Supabase drops larger ones silently (256 kB on the free plan).';
comment on column pgflow_realtime.settings.step_event_prefix is
  'Empty, or "step:" for the event names and fields of pgflow''s own broadcasts, which @pgflow/client expects.';
comment on column pgflow_realtime.settings.visibility is
  'Who may read a run and listen to it: whoever knows its id (public), or the user who started it (private).';

insert into pgflow_realtime.settings default values on conflict do nothing;

create or replace function pgflow_realtime.set_max_payload_bytes(p_bytes integer)
returns void
language plpgsql
set search_path = ''
as $$
begin
  if p_bytes is null or p_bytes < 1000 or p_bytes > 3000000 then
    raise exception using
      errcode = 'invalid_parameter_value',
      message = format('max_payload_bytes cannot be %s.', coalesce(p_bytes::text, 'null')),
      hint = 'Set it between 1000 and 3000000, below the limit of your Supabase plan: 256 kB on the free plan, 3000 kB on Pro.';
  end if;
  update pgflow_realtime.settings set max_payload_bytes = p_bytes;
end;
$$;
comment on function pgflow_realtime.set_max_payload_bytes(integer) is
  'Sets the size over which a broadcast loses its output and input.';

create or replace function pgflow_realtime.set_step_event_prefix(p_prefix text)
returns void
language plpgsql
set search_path = ''
as $$
begin
  if p_prefix is null or p_prefix not in ('', 'step:') then
    raise exception using
      errcode = 'invalid_parameter_value',
      message = format('step_event_prefix cannot be %s.', coalesce(quote_literal(p_prefix), 'null')),
      hint = 'Set it to '''' (the default) or to ''step:'' (as pgflow''s own broadcasts).';
  end if;
  update pgflow_realtime.settings set step_event_prefix = p_prefix;
end;
$$;
comment on function pgflow_realtime.set_step_event_prefix(text) is
  'Chooses the names of step events: <step_slug>:<change>, or step:<step_slug>:<change> with the fields of pgflow''s own broadcasts.';
