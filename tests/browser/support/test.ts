import type { Browser } from 'playwright-core'
import { test as base } from 'vitest'
import { App } from './app.ts'
import { launchChromium } from './chromium.ts'
import { ConsoleWatch } from './console-watch.ts'
import { servePlayground, type Playground } from './playground.ts'
import { recordSteps } from './step-history.ts'

interface Fixtures {
  $worker: { playground: Playground; browser: Browser }
  $test: { app: App }
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
  app: async ({ playground, browser }, use) => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 } })
    const page = await context.newPage()
    page.setDefaultTimeout(30_000)
    const console = new ConsoleWatch(page)
    await recordSteps(page)
    await page.goto(playground.url)
    const app = new App(page, console)
    await app.startButton.waitFor()
    await use(app)
    playground.backend.worker.resume()
    await context.close()
    console.check()
  },
})
