import type { Request } from 'playwright-core'
import { describe, expect } from 'vitest'
import { App } from './support/app.ts'
import { expectTruth, FaultPanel } from './support/fault-panel.ts'
import type { Playground } from './support/playground.ts'
import { test as base } from './support/test.ts'

const text = 'Bees love clover. Clover has bees. Bees make wonderful honey.'

/** A test in front of a live run that nobody works on, and of the panel that makes it fail. */
const test = base.extend<{ panel: FaultPanel }>({
  panel: async ({ app, playground }, use) => {
    playground.backend.worker.pause()
    await app.start('Analyse a text', text)
    await app.openRun()
    await app.untilConnection('live')
    const panel = new FaultPanel(app)
    await panel.untilTrue()
    await use(panel)
    playground.backend.faults.reset()
  },
})

/** The run is at its end, and the page shows it as the database has it. */
async function expectEnd(app: App, panel: FaultPanel, { backend }: Playground): Promise<void> {
  await app.untilRun('Done')
  await app.untilConnection('closed')
  await panel.untilTrue()
  await expectTruth(app, backend)
  expect(await app.main.getByRole('alert').count()).toBe(0)
}

describe('a network', () => {
  test('that is gone and comes back: what is shown stays, marked as perhaps old', async ({
    app,
    panel,
    playground,
  }) => {
    app.console.expect(/net::ERR_|WebSocket connection/)
    await panel.choose('No network', 'on')
    await app.untilConnection('offline')
    const header = app.page.getByRole('status', { name: 'Connection' })
    await header.filter({ hasText: 'Connection lost' }).waitFor()
    playground.backend.worker.resume()
    await panel.untilDatabase('completed')
    await panel.verdict.filter({ hasText: '6 differences' }).waitFor()
    await app.untilConnection('offline')
    await app.untilRun('Running')
    await app.shoot('faults-offline')

    await app.main.getByText('1 fault is on: the backend fails on purpose.').waitFor()
    await panel.press('Reset all faults')
    await expectEnd(app, panel, playground)
    await expect.poll(() => panel.summary.innerText()).toBe('Nothing is wrong.')
  })

  test.for(['Kill the socket', 'Restart Realtime'])(
    'in which somebody presses “%s” is not live until it has joined again',
    async (button, { app, panel, playground }) => {
      app.console.allow(/WebSocket connection to .* failed/)
      const left = app.main.locator('[data-connection]:not([data-connection="live"])').waitFor()
      await panel.press(button)
      await left
      await app.untilConnection('live')
      playground.backend.worker.resume()
      await expectEnd(app, panel, playground)
    },
  )
})

describe('a channel that is joined and receives nothing', () => {
  test('since replication is lost: a probe finds out, and it is live with the next broadcast', async ({
    app,
    panel,
    playground: { backend },
  }) => {
    await startRoute(app)
    await panel.choose('Lost replication', 'on')
    backend.worker.resume()
    await app.untilConnection('polling')
    await app.untilStep('search', 'started')
    await app.main.getByText('The live connection has gone quiet.').first().waitFor()
    await panel.verdict.filter({ hasText: 'polling: realtime_silent' }).waitFor()
    await expect.poll(() => panel.records('silent').count()).toBeGreaterThan(0)
    await app.shoot('faults-silent')

    await panel.choose('Lost replication', 'off')
    await app.untilStep('polish', 'started')
    await app.untilConnection('live')
    await panel.untilTrue()
    await app.untilRun('Done')
    await expectTruth(app, backend)
  })

  test('since the server drops what is over its limit: it is read, and ends right', async ({
    app,
    panel,
    playground: { backend },
  }) => {
    await startRoute(app)
    await panel.choose('Rate limit', '1 a second')
    backend.worker.resume()
    // The server counts for 5 s before it drops: until then everything arrives.
    await app.untilStep('search', 'started')
    await app.untilConnection('live')
    backend.worker.pause()
    await panel.untilDatabase('completed', 'search')
    await app.untilConnection('polling')
    await panel.verdict.filter({ hasText: 'polling: realtime_silent' }).waitFor()
    await app.untilStep('polish', 'started')
    await panel.untilTrue()
    backend.worker.resume()
    // The limit holds to the end.
    await app.untilRun('Done')
    await app.untilConnection('closed')
    await panel.untilTrue()
    await expectTruth(app, backend)
  })
})

/** Starts a search for a route, which goes on for some time, and shows its page. */
async function startRoute(app: App): Promise<void> {
  await app.visit('Flows')
  await app.choose('Plan a route')
  await app.page.getByRole('spinbutton', { name: 'Seconds' }).fill('12')
  await app.startButton.click()
  await app.openRun()
  await app.untilConnection('live')
}

describe('a token', () => {
  test('that has expired is shown as refused, and a new one is enough', async ({
    app,
    panel,
    playground,
  }) => {
    app.console.expect(/Failed to load resource.* 401/)
    await panel.choose('Expired token', 'on')
    await app.untilConnection('offline')
    await app.main
      .getByText('The server does not accept the token or the key of this page.')
      .waitFor()
    playground.backend.worker.resume()
    await app.untilRun('Running')
    await app.shoot('faults-token')

    await panel.panel.getByRole('button', { name: 'Get a new token' }).click()
    await expectEnd(app, panel, playground)
  })
})

describe('messages', () => {
  test.for([
    ['Lose messages', 'half of them'],
    ['Lose messages', 'all'],
    ['Send messages twice', 'on'],
    ['Delay messages', 'by 1 s'],
    ['Reorder messages', 'on'],
  ] as const)(
    'with “%s” %s: the run ends as it does in the database',
    async ([name, choice], { app, panel, playground }) => {
      await panel.choose(name, choice)
      await expect.poll(() => panel.summary.innerText()).toBe('1 fault is on.')
      playground.backend.worker.resume()
      await expectEnd(app, panel, playground)
    },
  )
})

describe('an API', () => {
  test.for([
    ['Failing answers', '503, the database is gone', / 503 /],
    ['Failing answers', '502, a page of the gateway', / 502 /],
    ['Failing answers', '429, too many requests', / 429 /],
    ['Failing answers', 'done, but the answer is lost', /net::ERR_/],
  ] as const)(
    'with “%s” %s makes one run of one start, however often it is tried',
    async ([name, choice, failure], { app, panel, playground: { backend } }) => {
      app.console.expect(failure)
      const own = `A text for ${choice}.`
      await app.visit('Flows')
      const isStart = (request: Request) => request.url().includes('start_flow_with_states')
      const refused = choice.startsWith('done')
        ? app.page.waitForEvent('requestfailed', isStart)
        : app.page.waitForEvent('requestfinished', isStart)
      await panel.choose(name, choice)
      await app.start('Analyse a text', own)
      await refused
      await panel.press('Reset all faults')
      backend.worker.resume()
      await app.untilRun('Done')
      const rows = await backend.db.query(`select 1 from pgflow.runs where input ->> 'text' = $1`, [
        own,
      ])
      expect(rows).toHaveLength(1)
      await panel.untilTrue()
      await expectTruth(app, backend)
    },
  )

  test('that is slow shows what is known meanwhile', async ({ app, panel, playground }) => {
    await panel.choose('Slow answers', 'by 2 s')
    playground.backend.worker.resume()
    await expectEnd(app, panel, playground)
  })
})

describe('a fault', () => {
  test('is still on after a reload and in a second tab, which can switch it off', async ({
    app,
    panel,
    playground,
  }) => {
    await panel.choose('Lost replication', 'on')
    await app.page.reload()
    await panel.summary.filter({ hasText: '1 fault is on.' }).waitFor()
    await app.untilStep('clean', 'started')
    const second = new App(await app.page.context().newPage())
    await second.page.goto(app.page.url())
    await second.untilConnection('live')
    playground.backend.worker.resume()
    // Neither is told, and both find out.
    for (const each of [app, second]) await expectEnd(each, new FaultPanel(each), playground)

    const notice = second.main.getByText('1 fault is on: the backend fails on purpose.')
    await notice.waitFor()
    await second.visit('Runs')
    await second.rows.filter({ hasText: 'Done' }).waitFor()
    await second.page.getByRole('button', { name: 'Reset all faults' }).click()
    await notice.waitFor({ state: 'detached' })
    await app.page.evaluate(() => window.dispatchEvent(new Event('focus')))
    await panel.summary.filter({ hasText: 'Nothing is wrong.' }).waitFor()
    second.console.check()
  })
})
