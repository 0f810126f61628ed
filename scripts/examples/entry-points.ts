import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

const path = (relative: string) => fileURLToPath(new URL(`../../${relative}`, import.meta.url))

/** The files behind the entry points of the package, by the name under which they are imported. */
export async function readEntries(): Promise<[module: string, file: string][]> {
  const { name, exports } = JSON.parse(await readFile(path('package.json'), 'utf8')) as {
    name: string
    exports: Record<string, unknown>
  }
  return Object.keys(exports)
    .map((key): [string, string] => [name + key.slice(1), path(`src${key.slice(1)}/index.ts`)])
    .filter(([, file]) => existsSync(file))
}
