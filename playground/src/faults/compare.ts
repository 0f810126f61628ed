import type { PgflowRun, PgflowStep } from 'pinia-pgflow'
import type { TrueRun } from './true-run.ts'

/** One thing as the store shows it, and as the database has it. */
export interface ComparedRow {
  /** Null for the run itself. */
  slug: string | null
  shown: string
  truth: string
  isSame: boolean
}

/** The store's run and its steps beside the database's, in the order of the flow. */
export function compareRun(
  run: PgflowRun | null,
  steps: readonly PgflowStep[],
  truth: TrueRun | null,
): ComparedRow[] {
  const shown = new Map(steps.map((step) => [step.step_slug, describeShown(step)]))
  const inDatabase = new Map(truth?.steps.map((step) => [step.slug, describeStep(step)]))
  // The store has them in the order of the flow, the database by name.
  const slugs = new Set([...shown.keys(), ...inDatabase.keys()])
  return [
    toRow(null, run?.status, truth?.status),
    ...[...slugs].map((slug) => toRow(slug, shown.get(slug), inDatabase.get(slug))),
  ]
}

function toRow(slug: string | null, shown = '–', truth = '–'): ComparedRow {
  return { slug, shown, truth, isSame: shown === truth }
}

function describeShown({ status, initial_tasks, remaining_tasks }: PgflowStep): string {
  return describeStep({ status, tasks: initial_tasks, remaining: remaining_tasks })
}

/** A map step that is at work says how far it is. */
function describeStep(step: {
  status: string
  tasks: number | null
  remaining: number | null
}): string {
  const { status, tasks, remaining } = step
  if (status !== 'started' || tasks === null || tasks < 2) return status
  return `${status}, ${tasks - (remaining ?? tasks)} of ${tasks}`
}
