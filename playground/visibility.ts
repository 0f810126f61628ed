/**
 * Lets visitors of the playground switch between public and private runs. Never in a project: there
 * it is for its owner to decide, in a migration.
 */
export const visibilitySql = `
create function public.playground_visibility() returns text
language sql stable security definer set search_path = ''
as $$ select case when pgflow_realtime.is_private() then 'private' else 'public' end $$;

create function public.set_playground_visibility(p_visibility text) returns void
language sql security definer set search_path = ''
as $$ select pgflow_realtime.set_visibility(p_visibility) $$;
`
