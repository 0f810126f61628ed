import { stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { CliError, codeOf, messageOf } from '../errors.ts'

/** The folder `supabase` of a project, and its content. */
export interface SupabaseFolder {
  /** Its path. */
  supabase: string
  migrations: string
  config: string
}

/**
 * Finds the folder `supabase`, here or further up, as Supabase's CLI does.
 * @throws CliError where there is none
 */
export async function findSupabaseFolder(cwd: string): Promise<SupabaseFolder> {
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const supabase = join(folder, 'supabase')
    if (await isFolder(supabase)) {
      return {
        supabase,
        migrations: join(supabase, 'migrations'),
        config: join(supabase, 'config.toml'),
      }
    }
    if (dirname(folder) === folder) break
  }
  throw new CliError(
    `There is no folder "supabase" in ${cwd}, nor in one above it.`,
    'Go to the folder of your project, or make it a Supabase project first: npx supabase init',
  )
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(codeOf(error))) return false
    throw new CliError(
      `Cannot look into ${path}: ${messageOf(error)}`,
      'Give yourself the right to read it, and run this again.',
      { cause: error },
    )
  }
}
