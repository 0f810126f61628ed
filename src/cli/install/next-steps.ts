import { join } from 'node:path'
import { runMigrations } from '../supabase-commands.ts'
import type { MigrationPlan } from './plan.ts'
import { nextStamp } from './stamp.ts'

/** What was done, and to which files. */
export interface Outcome {
  plan: MigrationPlan
  /** The folder of the migrations, as people see it. */
  folder: string
  /** In ms since 1970. */
  now: number
  changesConfig: boolean
  hasConfig: boolean
  isApiOff: boolean
}

/** The remaining steps, line by line. */
export function nextSteps(outcome: Outcome): string[] {
  const { plan, changesConfig, hasConfig, isApiOff } = outcome
  const steps: string[] = []
  if (!hasConfig) {
    steps.push(
      'There is no supabase/config.toml: expose the schema pgflow_client yourself, in Project Settings, Data API, Exposed schemas; or run npx supabase init and this again.',
    )
  }
  if (isApiOff) steps.push('Switch the API on: [api] enabled is false in config.toml.')
  if (plan.kind === 'install') steps.push(allowStarts(outcome))
  if (changesConfig) {
    steps.push(
      'Local: npx supabase stop && npx supabase start, which reads config.toml anew.',
      'Hosted: npx supabase config push, or add pgflow_client in Project Settings, Data API, Exposed schemas.',
    )
  }
  if (plan.kind !== 'current') steps.push(`Run the migrations: ${runMigrations}`)
  if (steps.length === 0) return ['\nAll is current: there is nothing to do.']
  const check = 'See whether all is well: npx pinia-pgflow doctor --url <url> --key <key>'
  return ['\nNext:', ...[...steps, check].map((step, index) => `${index + 1}. ${step}`)]
}

/** With a name that runs after ours, unlike the one that "supabase migration new" would give. */
function allowStarts({ plan, folder, now }: Outcome): string {
  const suffix = '_allow_starts.sql'
  const file = join(folder, nextStamp(now, plan.file, suffix) + suffix)
  const statement = "select pgflow_client.allow_start('my_flow', 'authenticated');"
  return `Say who may start which flow, in a migration such as ${file}:\n     ${statement}`
}
