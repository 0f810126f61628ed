import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openDatabase } from '../../playground/backend/database.ts'
import { isPrepared } from '../../playground/backend/prepared.ts'
import { readArchive } from '../../playground/backend/prepared-files.ts'

describe('a prepared data directory', () => {
  it('is restored as it was, whatever was done to a database made of it before', async () => {
    const count = `select count(*)::int as count from pg_class`
    const first = await openDatabase()
    onTestFinished(() => first.close())
    const before = await first.query(count)
    await first.exec(`
      drop schema pgflow cascade;
      create table public.numbers as select generate_series(1, 10000) as n;
      update pg_catalog.pg_class set relname = relname || '' where relnamespace = 'auth'::regnamespace;
      checkpoint;
    `)
    const second = await openDatabase()
    onTestFinished(() => second.close())
    expect(await second.query(count)).toEqual(before)
    expect(await second.query(`select to_regclass('public.numbers') as there`)).toEqual([
      { there: null },
    ])
    await expect(second.query(`select count(*) from pgflow.flows`)).resolves.toBeDefined()
  })

  it('is there once a database of its level was opened', async () => {
    const cacheDir = await mkdtemp(join(tmpdir(), 'pinia-pgflow-prepared-'))
    onTestFinished(() => rm(cacheDir, { recursive: true }))
    expect(await isPrepared('platform', cacheDir)).toBe(false)
    await (await openDatabase({ level: 'platform', cacheDir })).close()
    expect(await isPrepared('platform', cacheDir)).toBe(true)
    expect(await isPrepared('pgflow', cacheDir)).toBe(false)
  })
})

describe('readArchive', () => {
  const header = (name: string, size: number, type: string, prefix = '') => {
    const block = Buffer.alloc(512)
    block.write(name, 0)
    block.write(size.toString(8).padStart(11, '0'), 124)
    block.write(type, 156)
    block.write(prefix, 345)
    return block
  }
  const padded = (text: string) =>
    Buffer.concat([Buffer.from(text)], Math.ceil(text.length / 512) * 512)

  it('reads folders, files of any size and long paths, up to the empty blocks at the end', () => {
    const long = 'x'.repeat(600)
    const archive = Buffer.concat([
      header('/base/', 0, '5'),
      header('/base/1', long.length, '0'),
      padded(long),
      header('/empty', 0, '0'),
      header('n'.repeat(100), 2, '0', 'p/q'),
      padded('ab'),
      Buffer.alloc(1024),
    ])
    const read = readArchive(archive).map(({ path, data }) => [
      path,
      data && new TextDecoder().decode(data),
    ])
    expect(read).toEqual([
      ['base', null],
      ['base/1', long],
      ['empty', ''],
      [`p/q/${'n'.repeat(100)}`, 'ab'],
    ])
  })
})
