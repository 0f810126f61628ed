import type { Browser, BrowserContext } from 'playwright-core'
import { test as base } from 'vitest'
import { App } from './app.ts'
import { launchChromium } from './chromium.ts'
import type { ConsoleWatch } from './console-watch.ts'
import { servePlayground, type Playground } from './playground.ts'

interface Fixtures {
  $worker: { playground: Playground; browser: Browser }
  $test: {
    /** A visitor with a browser profile of their own, in front of the first page. */
    visit: () => Promise<App>
    app: App
  }
}

/**
 * A test with the playground open in a fresh tab. Fails on any error or warning of the browser that
 * it did not declare with `app.console.expect`.
 */
export const test = base.extend<Fixtures>({
  playground: [
    // eslint-disable-next-line no-empty-pattern -- how vitest finds out what a fixture needs
    async ({}, use) => {
      const playground = await servePlayground()
      await use(playground)
      await playground.close()
    },
    { scope: 'worker' },
  ],
  browser: [
    // eslint-disable-next-line no-empty-pattern
    async ({}, use) => {
      const browser = await launchChromium()
      await use(browser)
      await browser.close()
    },
    { scope: 'worker' },
  ],
  visit: async ({ playground, browser }, use) => {
    const visitors: { context: BrowserContext; console: ConsoleWatch }[] = []
    await use(async () => {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
      const page = await context.newPage()
      page.setDefaultTimeout(30_000)
      const app = new App(page)
      visitors.push({ context, console: app.console })
      await page.goto(playground.url)
      await app.startButton.waitFor()
      return app
    })
    playground.backend.worker.resume()
    for (const { context } of visitors) await context.close()
    for (const { console } of visitors) console.check()
  },
  app: async ({ visit }, use) => {
    await use(await visit())
  },
})
