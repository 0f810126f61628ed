-- No function may be executed by everybody: Postgres grants that on new functions, and a project
-- may have default privileges of its own.
revoke all on all tables in schema pgflow_client, pgflow_realtime
from public, anon, authenticated, service_role;
revoke all on all functions in schema pgflow_client, pgflow_realtime
from public, anon, authenticated, service_role;
revoke all on schema pgflow_client, pgflow_realtime
from public, anon, authenticated, service_role;

grant usage on schema pgflow_client to anon, authenticated, service_role;
grant execute on function
  pgflow_client.api_version(),
  pgflow_client.start_flow_with_states(text, jsonb, uuid),
  pgflow_client.get_run_with_states(uuid),
  pgflow_client.get_runs_with_states(uuid[]),
  pgflow_client.get_run_seqs(uuid[]),
  pgflow_client.list_runs(text, text, text, integer),
  pgflow_client.get_flow(text),
  pgflow_client.self_test(uuid),
  pgflow_client.self_test_rows()
to anon, authenticated, service_role;

-- Policies call it for the user who joins a channel. Nobody can call it by name: the schema is
-- closed.
grant execute on function pgflow_realtime.may_listen(text) to public;
