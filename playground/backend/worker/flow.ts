import { compileFlow, type AnyFlow, type FlowContext } from '@pgflow/dsl'
import type { Database, Queryable } from '../database.ts'
import type { TaskRow } from './context.ts'

/** A step as the worker runs it. */
export interface RunnableStep {
  readonly run: (input: TaskRow['input'], context: FlowContext) => unknown
  timeoutSeconds: number
}

/** pgflow's own default, where neither the step nor the flow sets one. */
const defaultTimeoutSeconds = 60

/** Everything the worker needs to know of a flow, taken from its definition. */
export function readSteps(flow: AnyFlow): Map<string, RunnableStep> {
  const steps = new Map<string, RunnableStep>()
  for (const slug of flow.stepOrder) {
    const { handler, options } = flow.getStepDefinition(slug)
    steps.set(slug, {
      run: handler,
      timeoutSeconds: options.timeout ?? flow.options.timeout ?? defaultTimeoutSeconds,
    })
  }
  return steps
}

/** Tells the worker about new messages of any queue; the payload is the flow's slug. */
export const wakeChannel = 'embedded_worker'

/**
 * Creates the flow in pgflow, as a migration compiled from it would, and makes its queue wake the
 * worker. A queue that notifies once a statement costs less than pgmq's trigger, which updates a
 * throttle row for every message.
 */
export async function registerFlow(
  db: Database,
  flow: AnyFlow,
  allowStart: readonly string[],
): Promise<void> {
  await db.transaction(async (tx) => {
    for (const statement of compileFlow(flow)) await tx.exec(statement)
    await tx.exec(wakeFunction)
    const [queue] = await tx.query<{ name: string }>(
      `select pgmq.format_table_name($1, 'q') as name`,
      [flow.slug],
    )
    // Slugs are identifiers: pgflow refuses quotes and everything else that would need escaping.
    await tx.exec(`
      create or replace trigger embedded_worker after insert on pgmq."${queue?.name ?? ''}"
      for each statement execute function embedded_worker.announce('${flow.slug}')
    `)
    if (await hasAllowStart(tx)) {
      for (const role of allowStart) {
        await tx.query('select pgflow_client.allow_start($1, $2)', [flow.slug, role])
      }
    }
  })
}

/** False on a plain pgflow, where whoever may call pgflow's own functions may start any flow. */
async function hasAllowStart(tx: Queryable): Promise<boolean> {
  const found = await tx.query(
    `select 1 from pg_catalog.pg_proc p
       join pg_catalog.pg_namespace n on n.oid = p.pronamespace
      where n.nspname = 'pgflow_client' and p.proname = 'allow_start'`,
  )
  return found.length > 0
}

const wakeFunction = `
  create schema if not exists embedded_worker;
  create or replace function embedded_worker.announce() returns trigger
  language plpgsql security definer set search_path = ''
  as $$
  begin
    perform pg_notify('${wakeChannel}', tg_argv[0]);
    return null;
  end;
  $$;
`
