import { execFile } from 'node:child_process'
import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Backend } from '../../playground/backend/index.ts'
import { registryFile } from '../../src/cli/types/registry-file.ts'
import { bootBackend } from '../support/backend.ts'
import { call } from './support/call.ts'
import { makeFolder, type Folder } from './support/folder.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))

let backend: Backend
beforeAll(async () => {
  backend = await bootBackend([])
  await backend.db.exec(`
    select pgflow.create_flow('import_orders');
    select pgflow.add_step('import_orders', 'read');
    select pgflow.add_step('import_orders', 'check', array['read'], step_type => 'map');
    select pgflow.add_step('import_orders', 'apply', array['check']);
    select pgflow.create_flow('secret_one');
    select pgflow_client.allow_start('import_orders', 'anon');
  `)
})
afterAll(() => backend.close())

const folders: Folder[] = []
afterEach(() => Promise.all(folders.splice(0).map((folder) => folder.remove())))
async function make(files: Record<string, string> = {}) {
  const folder = await makeFolder(files)
  folders.push(folder)
  return folder
}

const args = (key: string, ...more: string[]) => [
  'types',
  '--url',
  backend.url,
  '--key',
  key,
  ...more,
]

describe('the types of the flows', () => {
  it('are those that the key may start, with their steps in order', async () => {
    const { code, out, err } = await call(args(backend.anonKey))
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain(`    import_orders: FlowWithSteps<'read' | 'check' | 'apply'>\n`)
    expect(out).not.toContain('secret_one')
  })

  it('are all of them for a secret key', async () => {
    const { out } = await call(args(backend.serviceRoleKey))
    expect(out).toContain('secret_one: FlowWithSteps<never>')
  })

  it('go into a file, again and again, but not over a file of somebody else', async () => {
    const folder = await make({ 'src/mine.ts': 'export const mine = 1\n' })
    const write = (file: string) => call(args(backend.anonKey, '--out', file), { cwd: folder.path })
    for (let time = 0; time < 2; time += 1) {
      const { code, out, err } = await write('src/types/pgflow-flows.d.ts')
      expect({ code, out }).toEqual({ code: 0, out: '' })
      expect(err).toContain('src/types/pgflow-flows.d.ts: one flow.')
    }
    expect(await folder.read('src/types/pgflow-flows.d.ts')).toMatch(/^\/\/ Written by "npx/)
    const { code, err } = await write('src/mine.ts')
    expect(code).toBe(1)
    expect(err).toContain('exists, and was not written by this command')
    expect(await folder.read('src/mine.ts')).toBe('export const mine = 1\n')
    expect((await write('src')).err).toMatch(/Cannot write .*src: EISDIR/)
  })

  it('report why they cannot be read', async () => {
    const { code, err } = await call(args('nonsense'))
    expect(code).toBe(1)
    expect(err).toContain('The project does not accept the key')
    expect(err).not.toContain('nonsense')
  })

  it('are refused where there is no flow for the caller', async () => {
    const token = await backend.keys.sign({
      role: 'authenticated',
      sub: 'ada',
      exp: Math.floor(Date.now() / 1000) + 60,
    })
    const { code, err } = await call(args(backend.anonKey, '--token', token))
    expect(code).toBe(1)
    expect(err).toContain('There is no flow to write types of')
    expect(err).toContain('allow_start')
  })
})

/** What the file has to do for an application. */
const app = `
import { useFlow, useRun, type FlowOf, type FlowSlug } from 'pinia-pgflow'

const slug: FlowSlug = 'import_orders'
const { start, step, steps } = useFlow(slug)
void start({ anything: [1, 'two', null] })
export const status = step('check')?.status
for (const each of steps.value) {
  const name: 'read' | 'check' | 'apply' = each.step_slug
  void name
}
// @ts-expect-error there is no such step
step('chek')
// @ts-expect-error there is no such flow
useFlow('import_order')
useRun<FlowOf<'import_orders'>>('id').step('read')
// @ts-expect-error there is no such step
useRun<FlowOf<'import_orders'>>('id').step('reed')
useFlow('odd flow').step('a "quoted" one')
useFlow('constructor').step('__proto__')
`

describe('the file', () => {
  const odd = [
    { slug: 'import_orders', steps: ['read', 'check', 'apply'] },
    { slug: 'odd flow', steps: ['a "quoted" one', "it's\nso", '*/', '${x}'] },
    { slug: 'constructor', steps: ['__proto__'] },
    { slug: 'many', steps: Array.from({ length: 40 }, (_, index) => `step_${index}`) },
  ]

  let published: Folder
  // The declarations of the package as they are published. The compiler takes its time.
  beforeAll(async () => {
    published = await makeFolder({
      'pinia-pgflow/package.json': JSON.stringify({
        name: 'pinia-pgflow',
        type: 'module',
        types: './dist/index.d.ts',
      }),
    })
    const dist = join(published.path, 'pinia-pgflow/dist')
    // The types of the sources are checked by the tests of the types.
    const emit = ['-p', 'tsconfig.build.json', '--noCheck', '--outDir', dist]
    expect(await tsc(emit, root)).toBe('')
    await run(process.execPath, ['--import', 'tsx', 'scripts/build-declarations.ts', dist], {
      cwd: root,
    })
  })
  afterAll(() => published.remove())

  it.each([
    ['with @pgflow/dsl', true],
    ['without it', false],
  ])(
    'compiles in an app %s, and its names are checked',
    async (_, hasDsl) => {
      const folder = await make({ 'app.ts': app, 'pgflow-flows.d.ts': registryFile(odd) })
      const modules = join(folder.path, 'node_modules')
      await mkdir(modules)
      await symlink(join(published.path, 'pinia-pgflow'), join(modules, 'pinia-pgflow'))
      const others = ['vue', 'pinia', 'valibot', '@supabase', '@standard-schema']
      for (const name of hasDsl ? [...others, '@pgflow'] : others) {
        await symlink(join(root, 'node_modules', name), join(modules, name))
      }
      const flags = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022']
      const modern = ['--module', 'esnext', '--moduleResolution', 'bundler', '--preserveSymlinks']
      const files = ['app.ts', 'pgflow-flows.d.ts']
      expect(await tsc([...flags, ...modern, ...files], folder.path)).toBe('')
    },
    120_000,
  )

  /** What the compiler has to say; nothing where all is well. */
  const tsc = async (options: string[], cwd: string): Promise<string> => {
    const compiler = join(root, 'node_modules/typescript/bin/tsc')
    return new Promise((resolve) => {
      execFile(process.execPath, [compiler, ...options], { cwd }, (error, stdout) =>
        resolve(error ? `${error.message}\n${stdout}` : stdout),
      )
    })
  }
})
