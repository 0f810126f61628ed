import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { componentStyles } from '../../../scripts/component-styles.ts'

const folder = new URL('../../../src/components/styles/', import.meta.url)

it('the styles of the components are shipped as one file that has all of them', () => {
  const shipped = componentStyles()
  const files = readdirSync(folder)
  expect(files.length).toBeGreaterThan(1)
  for (const file of files) expect(shipped).toContain(readFileSync(new URL(file, folder), 'utf8'))
  expect(shipped).not.toContain('@import')
})
