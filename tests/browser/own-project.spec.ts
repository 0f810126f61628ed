import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished } from 'vitest'
import { flows } from '../../playground/flows/index.ts'
import { bootBackend } from '../support/backend.ts'
import { App } from './support/app.ts'
import { servePlaygroundOf } from './support/playground.ts'
import { test } from './support/test.ts'

describe('the playground over a project of its own', () => {
  test('is what .env.local names: it starts flows there, and has nothing to make it fail', async ({
    browser,
  }) => {
    const backend = await bootBackend(flows)
    onTestFinished(() => backend.close())
    const folder = await mkdtemp(join(tmpdir(), 'playground-env-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    await writeFile(
      join(folder, '.env.local'),
      `VITE_SUPABASE_URL=${backend.url}\nVITE_SUPABASE_ANON_KEY=${backend.anonKey}\n`,
    )
    const playground = await servePlaygroundOf(folder)
    onTestFinished(() => playground.close())
    const context = await browser.newContext()
    onTestFinished(() => context.close())
    const app = new App(await context.newPage())
    app.page.setDefaultTimeout(30_000)

    await app.page.goto(playground.url)
    await app.page.getByText('Your Supabase project').waitFor()
    expect(await app.page.getByText('Make it fail').count()).toBe(0)
    await app.start('Analyse a text', 'Bees love clover. Clover has bees.')
    await app.untilRun('Done')
    const [run] = await backend.db.query<{ status: string }>(
      'select status from pgflow.runs where run_id = $1',
      [await app.runId()],
    )
    expect(run).toEqual({ status: 'completed' })

    // Nobody was signed in by the page: a project may not let guests in.
    app.console.expect(/401/)
    await app.visit('Account')
    await app.page.getByRole('button', { name: 'Sign out' }).waitFor({ state: 'detached' })
    await expect.poll(() => app.main.innerText()).toContain('VITE_PGFLOW_PRIVATE')
    await app.visit('Runs')
    await app.main.getByText('Nobody is signed in.').waitFor()
    await app.main.getByRole('button', { name: 'Continue as a guest' }).click()
    await app.main.getByText('You have started nothing yet.').waitFor()
    await app.shoot('own-project')
    app.console.check()
  })
})
