import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Backend } from '../../playground/backend/index.ts'
import { bootBackend } from '../support/backend.ts'
import { call } from './support/call.ts'
import { makeFolder, type Folder } from './support/folder.ts'

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
