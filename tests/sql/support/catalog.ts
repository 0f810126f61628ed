import type { Queryable } from './database.ts'

/**
 * Everything a migration could have changed, as text: functions to the letter, tables with their
 * columns, triggers, indexes, constraints, policies, comments and grants.
 */
export async function describeCatalog(db: Queryable): Promise<string[]> {
  const rows = await db.query<{ line: string }>(`
    with schemas as (
      select oid, nspname, nspacl from pg_namespace
      where nspname in ('public', 'realtime', 'auth', 'pgmq') or nspname like 'pgflow%'
    ), tables as (
      select class.* from pg_class as class join schemas on schemas.oid = class.relnamespace
    )
    select 'schema ' || nspname || ' ' || coalesce(nspacl::text, '')
      || coalesce(obj_description(oid, 'pg_namespace'), '') as line
    from schemas
    union all
    select pg_get_functiondef(proc.oid) || coalesce(proc.proacl::text, '')
      || coalesce(obj_description(proc.oid, 'pg_proc'), '')
    from pg_proc as proc join schemas on schemas.oid = proc.pronamespace
    where proc.prokind in ('f', 'p')
    union all
    select class.relkind::text || ' ' || class.oid::regclass || ' ' || coalesce(class.relacl::text, '')
      || coalesce(class.reloptions::text, '') || coalesce(obj_description(class.oid, 'pg_class'), '')
      || class.relrowsecurity
    from tables as class
    union all
    select 'column ' || class.oid::regclass || '.' || attribute.attname || ' '
      || format_type(attribute.atttypid, attribute.atttypmod) || ' ' || attribute.attnotnull || ' '
      || coalesce(pg_get_expr(def.adbin, def.adrelid), '')
    from pg_attribute as attribute
    join tables as class on class.oid = attribute.attrelid
    left join pg_attrdef as def on def.adrelid = class.oid and def.adnum = attribute.attnum
    where attribute.attnum > 0 and not attribute.attisdropped
    union all
    select pg_get_indexdef(index.indexrelid)
    from pg_index as index join tables as class on class.oid = index.indrelid
    union all
    select class.oid::regclass || ' ' || con.conname || ' ' || pg_get_constraintdef(con.oid)
    from pg_constraint as con join tables as class on class.oid = con.conrelid
    union all
    select pg_get_triggerdef(tg.oid)
    from pg_trigger as tg join tables as class on class.oid = tg.tgrelid
    where not tg.tgisinternal
    union all
    select 'policy ' || class.oid::regclass || ' ' || pol.polname || ' '
      || coalesce(pg_get_expr(pol.polqual, pol.polrelid), '')
    from pg_policy as pol join tables as class on class.oid = pol.polrelid
    order by 1`)
  return rows.map((row) => row.line)
}

/** The definitions of pgflow's own functions, to the letter. */
export async function pgflowFunctions(db: Queryable): Promise<Record<string, string>> {
  const rows = await db.query<{ name: string; definition: string }>(
    `select proc.oid::regprocedure::text as name, pg_get_functiondef(proc.oid) as definition
     from pg_proc as proc where proc.pronamespace = 'pgflow'::regnamespace`,
  )
  return Object.fromEntries(rows.map((row) => [row.name, row.definition]))
}
