import type { Route } from 'playwright-core'
import { describe, expect, onTestFinished } from 'vitest'
import type { BackendCore } from '../../playground/backend/index.ts'
import { test } from './support/test.ts'

const startRpc = '**/rest/v1/rpc/start_flow_with_states*'

/** How many runs there are of a text. */
async function countRuns({ db }: BackendCore, text: string): Promise<number> {
  const sql = `select count(*)::int as runs from pgflow.runs where input ->> 'text' = $1`
  const [row] = await db.query<{ runs: number }>(sql, [text])
  return row?.runs ?? 0
}

/** Sends the start to the real backend with something else in it. */
const changed = (patch: Record<string, unknown>) => (route: Route) => {
  const body = route.request().postDataJSON() as Record<string, unknown>
  return route.continue({ postData: JSON.stringify({ ...body, ...patch }) })
}

describe('a start', () => {
  test('without a text does not leave the page, and shows what is missing', async ({ app }) => {
    const requests: string[] = []
    app.page.on('request', (request) => {
      // What Vite loads on demand in development is no request of the app.
      if (request.url().includes('/rest/')) requests.push(request.url())
    })
    await app.text.fill('  ')
    await app.startButton.click()
    const problem = app.page.getByRole('alert')
    await expect.poll(() => problem.innerText()).toBe('Type or paste a text first.')
    await expect.poll(() => app.text.getAttribute('aria-invalid')).toBe('true')
    await expect
      .poll(() => app.text.evaluate((field) => field === document.activeElement))
      .toBe(true)
    expect(requests).toEqual([])

    await app.text.fill('Words')
    await expect.poll(() => problem.count()).toBe(0)
    await app.startButton.click()
    await app.untilRun('Done')
  })

  test('against a backend that is down shows that, and trying again starts one run', async ({
    app,
    playground: { backend },
  }) => {
    const text = 'Nobody hears this text at first.'
    app.console.expect(/Failed to load resource: net::ERR_CONNECTION_REFUSED/)
    await app.page.route('**/rest/v1/**', (route) => route.abort('connectionrefused'))
    await app.start('Analyse a text', text)
    const alert = app.page.getByRole('alert')
    await alert.filter({ hasText: 'Check that it is running and that you are online' }).waitFor()
    await expect
      .poll(() => alert.innerText())
      .toMatch(/^The server (does not|takes too long to) answer\./)
    await expect.poll(() => app.main.innerText()).toContain('No run yet')
    expect(await countRuns(backend, text)).toBe(0)

    await app.page.unroute('**/rest/v1/**')
    await alert.getByRole('button', { name: 'Try again' }).click()
    await app.untilRun('Done')
    expect(await alert.count()).toBe(0)
    expect(await countRuns(backend, text)).toBe(1)
  })

  test('whose response is lost starts one run', async ({ app, playground: { backend } }) => {
    const text = 'The answer to this text is lost.'
    app.console.expect(/Failed to load resource: net::ERR_CONNECTION_RESET/)
    await app.page.route(startRpc, async (route) => {
      await route.fetch()
      await route.abort('connectionreset')
      await app.page.unroute(startRpc)
    })
    await app.start('Analyse a text', text)
    await app.untilRun('Done')
    expect(await app.page.getByRole('alert').count()).toBe(0)
    expect(await countRuns(backend, text)).toBe(1)
  })

  test('of a flow that is not allowed shows who can allow it', async ({
    app,
    playground: { backend },
  }) => {
    app.console.expect(/Failed to load resource.* 403/)
    await backend.db.query('delete from pgflow_realtime.allowed_starts where flow_slug = $1', [
      'analyze_text',
    ])
    onTestFinished(async () => {
      await backend.db.query(
        `select pgflow_client.allow_start('analyze_text', role) from unnest(array['anon', 'authenticated']) as role`,
      )
    })
    await app.start('Analyse a text', 'Not allowed.')
    const alert = app.page.getByRole('alert')
    await alert.waitFor()
    await expect.poll(() => alert.innerText()).toContain('You may not start this flow.')
    await expect.poll(() => alert.innerText()).toContain('The owner of the database can allow it')
    await expect.poll(() => app.main.innerText()).toContain('No run yet')
  })

  test.for([
    [/404/, { p_flow_slug: 'no_such_flow' }, 'The database does not know this flow.'],
    [/422/, { p_input: null }, 'The flow does not take this input.'],
  ] as const)(
    'that the database refuses with %s says why',
    async ([status, patch, words], { app }) => {
      app.console.expect(new RegExp(`Failed to load resource.* ${status.source}`))
      await app.page.route(startRpc, changed(patch))
      await app.start('Analyse a text', 'Refused.')
      const alert = app.page.getByRole('alert')
      await alert.waitFor()
      await expect.poll(() => alert.innerText()).toContain(words)
      await expect.poll(() => app.main.innerText()).toContain('No run yet')
    },
  )
})
