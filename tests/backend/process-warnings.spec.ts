import { once } from 'node:events'
import { expect, it } from 'vitest'
import { openDatabase } from '../../playground/backend/database.ts'

it('a process with a backend takes warnings as texts and as errors', async () => {
  const db = await openDatabase({ level: 'platform' })
  const warned = once(process, 'warning')
  const warning = Object.assign(new Error('of this test'), { name: 'TestWarning' })
  process.emitWarning(warning)
  expect(await warned).toEqual([warning])
  const named = once(process, 'warning')
  process.emitWarning('also of this test', 'TestWarning')
  expect(await named).toMatchObject([{ name: 'TestWarning', message: 'also of this test' }])
  await db.close()
})
