-- The roles and schemas that every Supabase project has before any migration runs.
create role anon nologin noinherit;
create role authenticated nologin noinherit;
create role service_role nologin noinherit bypassrls;
create role supabase_realtime_admin nologin noinherit createrole;

create schema extensions;
grant usage on schema public, extensions to anon, authenticated, service_role;
