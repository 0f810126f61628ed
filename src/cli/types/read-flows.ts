import * as v from 'valibot'
import type { OwnDatabase } from '../database.ts'
import { factsOf } from '../doctor/facts.ts'
import { isMissing, refusalOf } from '../doctor/refusals.ts'
import { CliError, messageOf } from '../errors.ts'
import { openProject, type Answer, type Project, type ProjectAccess } from '../project.ts'

/** The names in a flow. */
export interface FlowNames {
  slug: string
  /** In the order of the flow. */
  steps: string[]
}

/** How many flows are requested at once. */
const atOnce = 8

/** All flows of a database. @throws CliError */
export async function flowsOfDatabase(db: OwnDatabase): Promise<FlowNames[]> {
  try {
    const rows = await db.query<{ slug: string; steps: string[] }>(`
      select flow.flow_slug as slug,
        array(
          select step.step_slug
          from pgflow.steps as step
          where step.flow_slug = flow.flow_slug
          order by step.step_index
        ) as steps
      from pgflow.flows as flow
      order by flow.flow_slug`)
    return rows.map(({ slug, steps }) => ({ slug, steps: [...steps] }))
  } catch (cause) {
    throw new CliError(
      `The flows cannot be read from the database: ${messageOf(cause)}`,
      'Check that pgflow is installed in it, and that the user of --db may read pgflow.flows and pgflow.steps.',
      { cause },
    )
  }
}

/** The flows that the key or token may start, or all of them for a secret key. @throws CliError */
export async function flowsOfProject(access: ProjectAccess): Promise<FlowNames[]> {
  const project = await openProject(access)
  try {
    const answer = await project.call('self_test')
    mustBeAnswered(answer, project, access)
    const slugs = factsOf(answer)?.flows
    if (!slugs) throw unreadable('self_test')
    const flows: FlowNames[] = []
    for (let done = 0; done < slugs.length; done += atOnce) {
      const next = slugs.slice(done, done + atOnce)
      const read = await Promise.all(next.map((slug) => readFlow(project, slug, access)))
      flows.push(...read.filter((flow) => flow !== null))
    }
    return flows
  } finally {
    await project.close()
  }
}

const shapeSchema = v.pipe(
  v.array(v.object({ flow_slug: v.string(), steps: v.array(v.object({ step_slug: v.string() })) })),
  v.maxLength(1),
)

/** One flow; null where it was deleted meanwhile. */
async function readFlow(
  project: Project,
  slug: string,
  access: ProjectAccess,
): Promise<FlowNames | null> {
  const answer = await project.call('get_flow', { p_flow_slug: slug })
  mustBeAnswered(answer, project, access)
  const parsed = v.safeParse(shapeSchema, answer.data)
  if (!parsed.success) throw unreadable('get_flow')
  const [row] = parsed.output
  return row ? { slug, steps: row.steps.map(({ step_slug }) => step_slug) } : null
}

function mustBeAnswered(answer: Answer, project: Project, { token }: ProjectAccess): void {
  if (!answer.error) return
  const refusal = refusalOf(answer, project, { hasToken: token !== undefined })
  if (refusal) throw new CliError(refusal.message, refusal.fix ?? '')
  if (isMissing(answer)) {
    throw new CliError(
      'The migration of this package is not in the database, or is older.',
      'npx pinia-pgflow install, then run the migration; or pass --db.',
    )
  }
  throw new CliError(
    `The flows cannot be read: ${answer.error.message}`,
    'npx pinia-pgflow doctor with the same options says more.',
  )
}

function unreadable(name: string): CliError {
  return new CliError(
    `pgflow_client.${name}() returned something that this version cannot read.`,
    'Bring both to the same version: npx pinia-pgflow install, and run the migration; or pass --db.',
  )
}
