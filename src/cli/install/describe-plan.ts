import { join } from 'node:path'
import type { PackageInfo } from '../package-info.ts'
import type { MigrationPlan } from './plan.ts'
import { aheadOf } from './stamp.ts'

interface Place {
  /** The folder of the migrations, as people see it. */
  folder: string
  /** In ms since 1970. */
  now: number
}

/** The changes of the migrations, line by line. */
export function describePlan(
  plan: MigrationPlan,
  own: PackageInfo,
  { folder, now }: Place,
): string[] {
  return [...describeMigration(plan, own, folder), ...aheadOfTime(plan, now)]
}

function describeMigration(
  plan: MigrationPlan,
  { version }: PackageInfo,
  folder: string,
): string[] {
  const file = join(folder, plan.file)
  switch (plan.kind) {
    case 'current':
      return [`${file}: the migration of pinia-pgflow ${version} is there already.`]
    case 'install':
      return [`${file}: add the migration of pinia-pgflow ${version}`]
    case 'upgrade': {
      const { version: old, name } = plan.before ?? { version: null, name: '' }
      const other = old === version ? 'another edition of it' : `version ${old ?? 'unknown'}`
      return [
        `${file}: add the migration of pinia-pgflow ${version}`,
        `  as an upgrade: ${name} is ${other}, and stays as it is.`,
      ]
    }
    case 'repeat':
      return [
        `${file}: add the migration of pinia-pgflow ${version} again`,
        `  since pgflow was upgraded after ${plan.before?.name ?? ''}.`,
      ]
  }
}

/** pgflow's installer takes the local time, and a second more for each of its migrations. */
function aheadOfTime({ kind, file }: MigrationPlan, now: number): string[] {
  const ahead = kind === 'current' ? 0 : aheadOf(file, now)
  if (ahead <= 1000) return []
  return [
    `  Its time is ${durationOf(ahead)} from now, since it comes after the newest one there.`,
    '  Until then "supabase migration new" makes names that come before it: give a migration that',
    '  needs it a later one.',
  ]
}

function durationOf(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  if (seconds < 120) return `${seconds} s`
  const minutes = Math.ceil(seconds / 60)
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`
}
