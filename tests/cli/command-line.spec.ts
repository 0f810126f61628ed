import { execFile } from 'node:child_process'
import { chmod, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { createRedactor } from '../../src/cli/redact.ts'
import { call } from './support/call.ts'
import { configToml, makeFolder, somePgflow, type Folder } from './support/folder.ts'

const main = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
// Found from whatever folder the command is called in.
const tsx = import.meta.resolve('tsx')
const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiJ9.c2lnbmF0dXJl'

describe('the command', () => {
  it.each([[['--help']], [['-h']], [['help']], [['help', 'nonsense']]])(
    '%j tells what there is',
    async (args) => {
      const { code, out, err } = await call(args)
      expect({ code, err }).toEqual({ code: 0, err: '' })
      expect(out).toContain('Usage: npx pinia-pgflow <command>')
    },
  )

  it.each(['install', 'doctor', 'types'])('%s has a help of its own', async (name) => {
    const { code, out } = await call([name, '--help'])
    expect(code).toBe(0)
    expect(out).toContain(`Usage: npx pinia-pgflow ${name}`)
    expect((await call(['help', name])).out).toBe(out)
    for (const line of out.split('\n')) expect(line.length).toBeLessThanOrEqual(110)
  })

  it('tells its version', async () => {
    expect(await call(['--version'])).toEqual({ code: 0, out: '0.1.0\n', err: '' })
    expect(await call(['-v'])).toMatchObject({ code: 0, out: '0.1.0\n' })
  })

  it('without anything tells what there is, as a mistake', async () => {
    const { code, out } = await call([])
    expect(code).toBe(2)
    expect(out).toContain('Usage:')
  })

  it.each([
    [['instal'], 'There is no command "instal"'],
    [['constructor'], 'There is no command "constructor"'],
    [['--nonsense'], "Unknown option '--nonsense'"],
    [['install', '--force'], "Unknown option '--force'"],
    [['install', 'here'], 'Unexpected argument'],
    [['install', '--dry-run=yes'], "Option '--dry-run' does not take an argument"],
    [['doctor'], 'There is nothing to check'],
    [['doctor', '--url', 'https://abc.supabase.co'], '--key is missing'],
    [['doctor', '--key', 'abcdef'], '--url is missing'],
    [['doctor', '--url', 'abc', '--key', 'abcdef'], '--url is not an address'],
    [['doctor', '--url', 'ftp://abc', '--key', 'abcdef'], '--url is not the address of a project'],
    [
      ['doctor', '--url', 'postgres://a:b@c/d', '--key', 'abcdef'],
      '--url is the address of a database',
    ],
    [['doctor', '--db', 'abcdef'], '--db is not the address of a database'],
    [['types'], 'There is nothing to read flows from'],
  ])('refuses %j, and reports how it goes', async (args, message) => {
    const { code, out, err } = await call(args)
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(`Error: ${message}`)
    expect(err).toMatch(/\nFix: \S/)
  })

  it.each([
    [['doctor', '--kye', jwt]],
    [['doctor', `--kye=${jwt}`]],
    [['doctor', jwt]],
    [['doctor', '--url', jwt, '--key', jwt]],
    [['doctor', '--db', 'postgres://me:swordfish@', '--key']],
    [['doctor', '--url', 'postgres://me:swordfish@host/db', '--key', 'swordfish']],
    [['doctor', '--key', 'swordfish', 'swordfish']],
    [['swordfish', '--token=swordfish']],
  ])('prints no secret of %j', async (args) => {
    const { code, out, err } = await call(args)
    expect(code).toBe(2)
    expect(out + err).not.toMatch(/swordfish|eyJ/)
  })

  it('as a process of its own has the exit code', async () => {
    const run = (...args: string[]) =>
      new Promise((resolve) => {
        execFile(process.execPath, ['--import', tsx, main, ...args], (error, stdout) =>
          resolve({ code: error?.code ?? 0, stdout }),
        )
      })
    expect(await run('--version')).toEqual({ code: 0, stdout: '0.1.0\n' })
    expect(await run('nonsense')).toEqual({ code: 2, stdout: '' })
  })
})

describe('files that may not be written', () => {
  const folders: Folder[] = []
  afterEach(() => Promise.all(folders.splice(0).map((folder) => folder.remove())))

  /** The administrator may write everything, so the command runs as somebody else. */
  const installAsNobody = (folder: Folder) =>
    new Promise<{ code: unknown; stderr: string }>((resolve) => {
      const isRoot = process.getuid?.() === 0
      const options = { cwd: folder.path, env: process.env, ...(isRoot && { uid: 65534 }) }
      execFile(process.execPath, ['--import', tsx, main, 'install'], options, (error, _, stderr) =>
        resolve({ code: error?.code ?? 0, stderr }),
      )
    })

  async function makeReadOnly(file: string, mode: number) {
    const folder = await makeFolder({
      'supabase/config.toml': configToml,
      'supabase/migrations/20200101000000_pgflow.sql': somePgflow,
    })
    folders.push(folder)
    for (const path of ['', 'supabase', 'supabase/migrations']) {
      await chmod(join(folder.path, path), 0o777)
    }
    await chmod(join(folder.path, 'supabase/config.toml'), 0o666)
    await chmod(join(folder.path, file), mode)
    return folder
  }

  it('name config.toml, and nothing else is written', async () => {
    const folder = await makeReadOnly('supabase/config.toml', 0o444)
    const { code, stderr } = await installAsNobody(folder)
    expect(code).toBe(1)
    expect(stderr).toMatch(/Error: Cannot write .*config\.toml: EACCES/)
    expect(stderr).toContain('Fix: Make it writable')
    expect(await folder.migrations()).toHaveLength(1)
  })

  it('name the folder of the migrations, and config.toml stays', async () => {
    const folder = await makeReadOnly('supabase/migrations', 0o555)
    const { code, stderr } = await installAsNobody(folder)
    expect(code).toBe(1)
    expect(stderr).toMatch(/Error: Cannot write .*migrations\/.*\.sql: EACCES/)
    expect(await folder.read('supabase/config.toml')).toBe(configToml)
  })

  it('are written where they may be', async () => {
    const folder = await makeReadOnly('supabase/config.toml', 0o666)
    expect(await installAsNobody(folder)).toMatchObject({ code: 0 })
    expect((await stat(join(folder.path, 'supabase/config.toml'))).mode & 0o777).toBe(0o666)
    expect(await folder.migrations()).toHaveLength(2)
  })
})

describe('secrets', () => {
  const redactor = createRedactor()
  redactor.hide('p@ss/wörd"', undefined, '', 'abc')

  it.each([
    ['as they are', 'no p@ss/wörd" here', 'no [hidden] here'],
    ['in a URL', 'x?y=p%40ss%2Fw%C3%B6rd%22&z', 'x?y=[hidden]&z'],
    ['in JSON', String.raw`{"a":"p@ss/wörd\""}`, '{"a":"[hidden]"}'],
    ['that are too short to tell from words', 'abc', 'abc'],
    [
      'in addresses nobody declared',
      'to postgres://me:secret@host/db',
      'to postgres://me:[hidden]@host/db',
    ],
    [
      'that look like keys',
      `${jwt} sb_secret_abc_DEF-1 sb_publishable_1`,
      '[hidden] [hidden] [hidden]',
    ],
  ])('are hidden %s', (_, text, expected) => {
    expect(redactor.redact(text)).toBe(expected)
  })

  it('that are not well formed for a URL are hidden as they are', () => {
    const other = createRedactor()
    other.hide('100% \uD800 sure')
    expect(other.redact('it is 100% \uD800 sure.')).toBe('it is [hidden].')
  })
})
