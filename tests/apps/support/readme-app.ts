import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Browser } from 'playwright-core'
import { expect } from 'vitest'
import { readCodeBlocks } from '../../../scripts/docs/code-blocks.ts'
import { run, serve } from './command.ts'
import type { Gateway } from './gateway.ts'
import { untilText, visit } from './site.ts'

/** Makes of a folder the app that the README shows, with the flow of its guide. */
export async function writeReadme(app: string): Promise<void> {
  const flows = ['supabase/flows/analyze_text.ts', 'supabase/flows/index.ts']
  await writeFilesOf('docs/guides/writing-flows.md', app, flows)
  await writeFilesOf('README.md', app, ['src/main.ts', 'src/pgflow-flows.ts', 'src/App.vue'])
}

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

/** Builds that app, opens it, starts a run in its page, and sees it to its end. */
export async function startAndFollow(
  app: string,
  gateway: Gateway,
  browser: Browser,
): Promise<void> {
  const env = { VITE_SUPABASE_URL: gateway.url, VITE_SUPABASE_ANON_KEY: gateway.backend.anonKey }
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
}
