import { readFile } from 'node:fs/promises'

const read = (name: string) => readFile(new URL(name, import.meta.url), 'utf8')

/** What users run to install, to upgrade, and after an upgrade of pgflow. */
export const install = await read('../../../supabase/migrations/20261128000000_pinia_pgflow.sql')
export const uninstall = await read('../../../supabase/uninstall.sql')

/** What users of the first edition have installed. */
export const firstEdition = await read('../fixtures/first-edition.sql')
