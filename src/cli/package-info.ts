import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CliError } from './errors.ts'

/** The name of the migration inside the package; in a project it gets another. */
const migrationFile = 'supabase/migrations/20261128000000_pinia_pgflow.sql'

/** The version and files of this package. */
export interface PackageInfo {
  version: string
  /** The migration, as text. */
  migration: string
}

/** Reads the version and the migration of the package that this file is part of. */
export async function readPackage(): Promise<PackageInfo> {
  const root = findRoot(import.meta.dirname)
  const manifest: unknown = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
  if (typeof manifest !== 'object' || manifest === null || !('version' in manifest)) {
    throw incomplete('its package.json has no version')
  }
  const migration = await readFile(join(root, migrationFile), 'utf8').catch((cause: unknown) => {
    throw incomplete(`${migrationFile} cannot be read`, cause)
  })
  return { version: String(manifest.version), migration }
}

/** The folder with the migration: one above `dist`, two above the sources. */
function findRoot(from: string): string {
  if (existsSync(join(from, 'package.json'))) return from
  const parent = dirname(from)
  if (parent === from) throw incomplete('it has no package.json')
  return findRoot(parent)
}

function incomplete(what: string, cause?: unknown): CliError {
  return new CliError(
    `The package pinia-pgflow is not complete: ${what}.`,
    'Install it again: npm install pinia-pgflow',
    { cause },
  )
}
