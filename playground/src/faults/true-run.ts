/** A step as the database has it. */
export interface TrueStep {
  slug: string
  status: string
  /** How many tasks it has, and how many of them are not done; null before it is known. */
  tasks: number | null
  remaining: number | null
}

/** A run as the database has it. */
export interface TrueRun {
  status: string
  /** How many changes it has had. */
  seq: number | null
  steps: TrueStep[]
}

/** Reads the reply of `get_run_with_states`; null for no run. */
export function readTrueRun(reply: unknown): TrueRun | null {
  const row: unknown = Array.isArray(reply) ? reply[0] : reply
  const run = fieldOf(row, 'run')
  const status = fieldOf(run, 'status')
  const steps = fieldOf(row, 'steps')
  if (typeof status !== 'string' || !Array.isArray(steps)) return null
  return {
    status,
    seq: numberOf(row, 'seq'),
    steps: steps.flatMap((step: unknown) => {
      const slug = fieldOf(step, 'step_slug')
      const stepStatus = fieldOf(step, 'status')
      if (typeof slug !== 'string' || typeof stepStatus !== 'string') return []
      return {
        slug,
        status: stepStatus,
        tasks: numberOf(step, 'initial_tasks'),
        remaining: numberOf(step, 'remaining_tasks'),
      }
    }),
  }
}

/** An own property of whatever it is. */
export function fieldOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.getOwnPropertyDescriptor(value, name)?.value
}

function numberOf(value: unknown, name: string): number | null {
  const field = fieldOf(value, name)
  return typeof field === 'number' ? field : null
}
