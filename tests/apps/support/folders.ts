import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './command.ts'

const root = join(import.meta.dirname, '../../..')

/** Packs what `npm run build` has made, as npm would publish it. */
export async function pack(folder: string): Promise<string> {
  const built = await readdir(join(root, 'dist')).catch((): string[] => [])
  if (!built.includes('index.js')) throw new Error('Run npm run build first.')
  await run(['npm', 'pack', '--ignore-scripts', '--pack-destination', folder], root)
  const tarball = (await readdir(folder)).find((name) => name.endsWith('.tgz'))
  if (tarball === undefined) throw new Error('npm pack made no package')
  return join(folder, tarball)
}

/** A folder outside of the project, so that nothing is found in its `node_modules`. */
export async function makeFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'pinia-pgflow-apps-'))
}

/** With `KEEP_APPS=1` what was installed and built stays, and its place is printed. */
export async function removeFolder(folder: string): Promise<void> {
  if (process.env.KEEP_APPS === '1') console.log(`kept ${folder}`)
  else await rm(folder, { recursive: true, force: true })
}

/**
 * Copies an app of `tests/apps` and installs what its `package.json` says, and the package; npm
 * refuses where a peer is not what the package asks for.
 */
export async function installApp(
  name: string,
  tarball: string,
  folder: string,
  { as = name, versions = {} }: { as?: string; versions?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const app = join(folder, as)
  await cp(join(root, 'tests/apps', name), app, { recursive: true })
  const file = join(app, 'package.json')
  const manifest = JSON.parse(await readFile(file, 'utf8')) as { dependencies: object }
  const own = { 'pinia-pgflow': `file:${tarball}` }
  const dependencies = { ...manifest.dependencies, ...versions, ...own }
  await writeFile(file, JSON.stringify({ ...manifest, dependencies }, null, 2))
  await install(app)
  return app
}

/** Installs one package in a folder of its own, unless it is there. */
export async function addPackage(folder: string, name: string, spec: string): Promise<string> {
  const place = join(folder, name)
  await mkdir(place, { recursive: true })
  await install(place, spec)
  return place
}

async function install(folder: string, ...specs: string[]): Promise<void> {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
  await run(['npm', 'install', '--ignore-scripts', '--prefer-offline', ...quiet, ...specs], folder)
}
