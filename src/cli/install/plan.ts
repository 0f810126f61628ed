import { CliError } from '../errors.ts'
import type { PackageInfo } from '../package-info.ts'
import { normalized, type Migration } from './migrations.ts'
import { nextStamp } from './stamp.ts'

/** The planned changes of the migrations. */
export type MigrationPlan =
  | { kind: 'current'; file: string }
  | {
      /** For the first time, because of another version, or because pgflow was upgraded since. */
      kind: 'install' | 'upgrade' | 'repeat'
      file: string
      /** The copy that is there. */
      before: Migration | undefined
    }

/**
 * Decides which migration to write.
 * @throws CliError where ours could not run, or would undo a newer one
 */
export function planMigration(
  migrations: readonly Migration[],
  { version, migration }: PackageInfo,
  now: number,
): MigrationPlan {
  if (!migrations.some(({ isPgflow }) => isPgflow)) {
    throw new CliError(
      'There is no migration of pgflow in supabase/migrations, and that of pinia-pgflow needs it.',
      'Install pgflow first: npx pgflow@latest install',
    )
  }
  const newer = migrations.find((each) => each.version !== null && isNewer(each.version, version))
  if (newer) {
    throw new CliError(
      `${newer.name} is of pinia-pgflow ${newer.version ?? ''}, which is newer than this one (${version}).`,
      'Upgrade the package: npm install pinia-pgflow@latest',
    )
  }
  const before = migrations.findLast((each) => each.version !== null)
  const suffix = `_pinia_pgflow_${version.replace(/[^0-9A-Za-z]+/g, '_')}.sql`
  const file = nextStamp(now, migrations.at(-1)?.name, suffix) + suffix
  if (!before) return { kind: 'install', file, before }
  if (before.text !== normalized(migration)) return { kind: 'upgrade', file, before }
  // An upgrade of pgflow brings its own broadcasts back, and it has to come before ours.
  const later = migrations.slice(migrations.indexOf(before) + 1)
  const isFirst = later.some(({ isPgflow }) => isPgflow)
  return isFirst ? { kind: 'repeat', file, before } : { kind: 'current', file: before.name }
}

/** Whether a version comes after another; a prerelease comes before its release. */
function isNewer(one: string, other: string): boolean {
  const [a, b] = [partsOf(one), partsOf(other)]
  const different = a.numbers.findIndex((number, index) => number !== b.numbers[index])
  if (different >= 0) return (a.numbers[different] ?? 0) > (b.numbers[different] ?? 0)
  if (a.prerelease === '' || b.prerelease === '') return a.prerelease === '' && b.prerelease !== ''
  return a.prerelease.localeCompare(b.prerelease, 'en', { numeric: true }) > 0
}

function partsOf(version: string) {
  const [release = '', ...prerelease] = version.split('+', 1).join('').split('-')
  const [major = 0, minor = 0, patch = 0] = release.split('.').map((part) => Number(part) || 0)
  return { numbers: [major, minor, patch], prerelease: prerelease.join('-') }
}
