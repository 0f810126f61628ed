import { describe, expect, onTestFinished } from 'vitest'
import type { App } from './support/app.ts'
import { expectAccessible, expectNoSidewaysScroll } from './support/axe.ts'
import { FaultPanel } from './support/fault-panel.ts'
import { test } from './support/test.ts'

/** Looks at a page as it is now: light and dark, and as wide as a small phone. */
async function inspect(app: App, name: string): Promise<void> {
  const { page } = app
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    for (const width of [1280, 320]) {
      await page.setViewportSize({ width, height: 900 })
      await expectAccessible(page)
      await expectNoSidewaysScroll(page)
      await app.shoot(`page-${name}-${colorScheme}-${width}`)
    }
  }
  await page.setViewportSize({ width: 1280, height: 900 })
}

describe('every page, light and dark, on a phone and a wide screen', () => {
  test('the flows', async ({ app }) => {
    await inspect(app, 'flows')
    await app.text.fill(' ')
    await app.startButton.click()
    await app.main.getByRole('alert').waitFor()
    await inspect(app, 'flows-problem')
  })

  test('a run that is done, with all that can be opened', async ({ app }) => {
    await app.start('Analyse a text')
    await app.untilRun('Done')
    await inspect(app, 'flows-done')
    await app.openRun()
    for (const summary of await app.main.locator('summary').all()) {
      const isOpen = await summary.evaluate((each) => each.closest('details')?.open)
      if (!isOpen) await summary.click()
    }
    await app.main.getByText("import { useRun } from 'pinia-pgflow'").waitFor()
    await inspect(app, 'run')
  })

  test('a run with a map, a table and a page', async ({ app }) => {
    await app.start('Summarise a table')
    await app.untilRun('Done')
    await app.openRun()
    for (const slug of ['rows', 'inspect_rows', 'statistics']) {
      await app.step(slug).locator('summary').click()
    }
    // What only the next step needs is no column.
    const columns = app.step('rows').getByRole('columnheader')
    await expect
      .poll(() => columns.allInnerTexts())
      .toEqual('Line Day Shop Cups Revenue Temperature Note'.split(' '))
    await inspect(app, 'run-table')
  })

  test('a run that failed', async ({ app }) => {
    await app.start('Summarise a table', 'a,b\n1')
    await app.untilRun('Failed')
    await app.openRun()
    await inspect(app, 'run-failed')
  })

  test('a run under way', async ({ app, playground: { backend } }) => {
    backend.worker.pause()
    await app.start('Analyse a text')
    await app.untilStep('clean', 'started')
    await app.openRun()
    await inspect(app, 'run-started')
  })

  test('a run whose backend fails, with what differs', async ({ app, playground: { backend } }) => {
    onTestFinished(() => backend.faults.reset())
    app.console.expect(/net::ERR_|WebSocket connection/)
    backend.worker.pause()
    await app.start('Analyse a text')
    await app.openRun()
    await app.untilConnection('live')
    const panel = new FaultPanel(app)
    await panel.choose('No network', 'on')
    await panel.choose('Lose messages', 'all')
    backend.worker.resume()
    await panel.untilDatabase('completed')
    await app.untilConnection('offline')
    await inspect(app, 'run-offline')
  })

  test('a run whose steps are retried', async ({ app, playground: { backend } }) => {
    await app.start('Shorten a text')
    await app.openRun()
    await app.step('weights').getByText('Attempt 2: The service').waitFor()
    backend.worker.pause()
    await inspect(app, 'run-retrying')
  })

  test('the list, with runs and without', async ({ app, playground: { backend } }) => {
    await app.visit('Runs')
    await app.main.getByText('You have started nothing yet.').waitFor()
    await inspect(app, 'runs-empty')
    await app.visit('Flows')
    await app.start('Analyse a text')
    await app.untilRun('Done')
    await app.start('Summarise a table', 'a,b\n1')
    await app.untilRun('Failed')
    await app.visit('Runs')
    backend.worker.pause()
    await app.visit('Flows')
    await app.start('Plan a route')
    await app.visit('Runs')
    await app.main.getByRole('progressbar').waitFor()
    await expect.poll(() => app.rows.count()).toBe(3)
    await inspect(app, 'runs')
  })

  test('the account, of a guest and of nobody', async ({ app }) => {
    await app.visit('Account')
    await inspect(app, 'account')
    await app.page.getByRole('button', { name: 'Sign out' }).click()
    await app.page.getByRole('button', { name: 'Continue as a guest' }).waitFor()
    await inspect(app, 'account-nobody')
  })

  test('no page', async ({ app, playground }) => {
    await app.page.goto(`${playground.url}nowhere`)
    await app.heading.waitFor()
    await inspect(app, 'not-found')
  })
})
