-- One row, one column a setting: typed, checked, and read in one page.
create table if not exists pgflow_realtime.settings (
  only_row boolean primary key default true check (only_row),
  max_payload_bytes integer not null default 200000 check (max_payload_bytes >= 1000)
);
comment on table pgflow_realtime.settings is 'The settings of pinia-pgflow, always exactly one row.';
comment on column pgflow_realtime.settings.max_payload_bytes is
  'A broadcast larger than this loses its output and input. Supabase drops larger ones silently (256 kB on the free plan).';

insert into pgflow_realtime.settings default values on conflict do nothing;
