import { mkdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { createPinia } from 'pinia'
import { usePgflowStore } from 'pinia-pgflow'
import type { Browser, FrameLocator, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApp } from 'vue'
import { createTestPgflow } from '../../src/testing/index.ts'
import { App } from './support/app.ts'
import { launchChromium } from './support/chromium.ts'
import { ConsoleWatch } from './support/console-watch.ts'
import { servePlayground, type Playground } from './support/playground.ts'

const output = fileURLToPath(new URL('./output/', import.meta.url))
const text = 'Bees love clover. Clover has bees.'

/** The pgflow inspector in the panel of Vue devtools. */
class Inspector {
  readonly frame: FrameLocator
  readonly #page: Page

  constructor(page: Page) {
    this.#page = page
    this.frame = page.frameLocator('#vue-devtools-iframe')
  }

  async open(): Promise<void> {
    const toggle = this.#page.locator(
      '.vue-devtools__anchor-btn[aria-label="Toggle devtools panel"]',
    )
    // The button is a thin line at the edge, and grows under the mouse.
    await toggle.dispatchEvent('click')
    await this.frame.locator('a[href="/custom-inspector-tab-view/pinia-pgflow"]').click()
  }

  /** A row of the tree, by a text in it. */
  row(label: string): Locator {
    return this.frame.locator('div.group.cursor-pointer', { hasText: label }).first()
  }

  async expand(label: string): Promise<void> {
    await this.row(label).locator('i[class*="triangle-right"]').click()
  }

  /** The actions above the tree, or those above the state. */
  actions(placeholder: string): Locator {
    return this.frame
      .locator(`input[placeholder="${placeholder}"]`)
      .locator('xpath=ancestor::div[contains(@class,"grid")][1]')
      .locator('.v-popper--has-tooltip')
  }

  get nodeActions(): Locator {
    return this.actions('Search the state')
  }
}

/** Plays a recording in the database of a test, where the run has to end as it ended in the page. */
async function expectReplay(recording: string, runId: string): Promise<void> {
  const pgflow = createTestPgflow()
  const pinia = createPinia()
  const app = createApp({ render: () => null })
  app.use(pinia).use(pgflow)
  const replay = pgflow.replay(JSON.parse(recording))
  expect(replay.runId).toBe(runId)
  const store = usePgflowStore(pinia)
  await store.refreshRun(runId)
  expect(store.runById(runId)?.status).toBe('started')
  await replay.play()
  // Here is no browser, where it would be followed live.
  await store.refreshRun(runId)
  expect(store.runById(runId)).toMatchObject({ flow_slug: 'analyze_text', status: 'completed' })
  expect(store.stepsOf(runId).map(({ status }) => status)).toEqual(Array(5).fill('completed'))
}

describe('Vue devtools', () => {
  let playground: Playground
  let browser: Browser
  beforeAll(async () => {
    ;[playground, browser] = await Promise.all([
      servePlayground({ devtools: true }),
      launchChromium(),
    ])
    await mkdir(output, { recursive: true })
  })
  afterAll(async () => {
    await browser.close()
    await playground.close()
  })

  it('show a run and its steps live, act on it, and have its timeline', async () => {
    const context = await browser.newContext({ viewport: { width: 1400, height: 1000 } })
    await context.grantPermissions(['clipboard-read', 'clipboard-write'])
    // Their icons are somewhere else.
    await context.route(
      (url) => url.origin !== new URL(playground.url).origin,
      (route) => route.abort(),
    )
    const page = await context.newPage()
    page.setDefaultTimeout(60_000)
    const console = new ConsoleWatch(page)
    console.expect(/net::ERR_FAILED/)
    await page.goto(playground.url)
    const app = new App(page, console)
    const { worker } = playground.backend
    worker.pause()
    await app.start('Analyse a text', text)
    await app.untilConnection('live')
    const runId = await app.runId()

    const inspector = new Inspector(page)
    await inspector.open()
    await inspector.expand('analyze_text')
    await inspector.expand(runId)
    await inspector.row('report').filter({ hasText: 'created' }).waitFor()
    await inspector.row(runId).filter({ hasText: 'live' }).waitFor()

    // Reconnect: the channel is left and joined again, and the run is live again by itself.
    await inspector.row(runId).click()
    await inspector.frame.getByText('flow_slug').waitFor()
    await inspector.nodeActions.nth(1).click()
    await inspector.frame.getByText('the channel is open again').waitFor()
    await app.untilConnection('live')
    await inspector.row(runId).filter({ hasText: 'live' }).waitFor()

    // The state of a step changes while it is looked at, and so do the tags of the tree.
    await inspector.row('clean').click()
    await inspector.frame.getByText('step_slug').waitFor()
    worker.resume()
    await inspector.row('report').filter({ hasText: 'completed' }).waitFor()
    await inspector.row(runId).filter({ hasText: 'completed' }).waitFor()

    // Refresh: a read of the run more.
    await inspector.row(runId).click()
    await inspector.frame.getByText('flow_slug').waitFor()
    const read = page.waitForRequest((request) => /get_runs?_with_states/.test(request.url()))
    await inspector.nodeActions.nth(0).click()
    await read

    // Copy the id.
    await inspector.nodeActions.nth(2).click()
    await expect.poll(() => page.evaluate(() => navigator.clipboard.readText())).toBe(runId)

    // Export a recording.
    const download = page.waitForEvent('download')
    await inspector.nodeActions.nth(4).click()
    const file = await download
    expect(file.suggestedFilename()).toBe(`pgflow-run-${runId}.json`)
    await expectReplay(await readFile(await file.path(), 'utf8'), runId)
    await page.screenshot({ path: `${output}devtools-inspector.png` })

    // What is sought stays sought when the tree is sent anew.
    const search = inspector.frame.getByPlaceholder('Search flows, runs, steps and statuses')
    await search.fill('sentiment')
    await inspector.row('sync').waitFor({ state: 'detached' })
    worker.pause()
    await app.startButton.dispatchEvent('click')
    await inspector.row('analyze_text').filter({ hasText: '1 running' }).waitFor()
    expect(await inspector.row('sync').count()).toBe(0)
    await search.fill('')
    await inspector.row('sync').waitFor()
    worker.resume()
    await app.untilRun('Done')

    // The timeline has what happens from when it is recorded.
    await inspector.frame.locator('li', { hasText: 'Timeline' }).click()
    await inspector.frame.locator('.recording-btn').click()
    worker.pause()
    await app.startButton.dispatchEvent('click')
    await app.untilConnection('live')
    expect(playground.backend.faults.killSockets()).toBe(1)
    const reconnect = inspector.frame.getByText('the channel is open again')
    await reconnect.first().waitFor({ state: 'attached' })
    worker.resume()
    await app.untilRun('Done')
    await page.screenshot({ path: `${output}devtools-timeline.png` })
    for (const event of ['report step:completed', 'completed, 5 steps']) {
      await inspector.frame.getByText(event).first().waitFor({ state: 'attached' })
    }
    await context.close()
    console.check()
    // Devtools are a second app in the page, and loaded from source.
  }, 180_000)
})
