import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

it('every function has an example, and the type tests have them as they are', async () => {
  const script = fileURLToPath(new URL('../../../scripts/build-examples.ts', import.meta.url))
  const args = ['--import', 'tsx', script, '--check']
  await expect(promisify(execFile)(process.execPath, args)).resolves.toBeDefined()
})
