import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Locator, Page } from 'playwright-core'
import type { Json } from 'pinia-pgflow'
import { ConsoleWatch } from './console-watch.ts'

const output = fileURLToPath(new URL('../output/', import.meta.url))

/** The playground as somebody in front of it sees it. */
export class App {
  readonly page: Page
  readonly console: ConsoleWatch

  constructor(page: Page, console: ConsoleWatch = new ConsoleWatch(page)) {
    this.page = page
    this.console = console
  }

  get startButton(): Locator {
    return this.page.getByRole('button', { name: 'Start', exact: true })
  }

  /** The text field of the flow that is chosen. */
  get text(): Locator {
    return this.page.getByRole('textbox')
  }

  /** The page below its header. */
  get main(): Locator {
    return this.page.getByRole('main')
  }

  get heading(): Locator {
    return this.page.getByRole('heading', { level: 1 })
  }

  /** The rows of the list of runs, the newest first. */
  get rows(): Locator {
    return this.page.getByRole('list', { name: 'Runs' }).getByRole('link')
  }

  get notifications(): Locator {
    return this.page.getByRole('region', { name: 'Notifications' })
  }

  step(slug: string): Locator {
    return this.main.locator(`li[data-step="${slug}"]`)
  }

  /** Goes to a page by its link in the header. */
  async visit(page: 'Flows' | 'Runs' | 'Account'): Promise<void> {
    await this.page.getByRole('navigation', { name: 'Pages' }).getByText(page).click()
  }

  async choose(flow: string): Promise<void> {
    await this.page.getByRole('radio', { name: flow }).check()
  }

  /** Starts a flow with a text, by clicking. */
  async start(flow: string, text?: string): Promise<void> {
    await this.choose(flow)
    if (text !== undefined) await this.text.fill(text)
    await this.startButton.click()
  }

  /** Goes from the run beside the form to the page of its own. */
  async openRun(): Promise<void> {
    await this.page.getByRole('link', { name: 'Open the page of this run' }).click()
    await this.page.getByRole('region', { name: 'Steps of the run' }).waitFor()
  }

  async untilStep(slug: string, status: string): Promise<void> {
    await this.main.locator(`li[data-step="${slug}"][data-status="${status}"]`).waitFor()
  }

  /** @param timeout - in ms, for a run that takes longer than a page may. */
  async untilRun(status: string, timeout = 30_000): Promise<void> {
    const badge = this.main.locator('[data-part="run-status"]')
    await badge.filter({ hasText: status }).waitFor({ timeout })
  }

  async untilConnection(status: string): Promise<void> {
    await this.main.locator(`[data-connection="${status}"]`).waitFor()
  }

  /** The output of a step as JSON, as the page shows it. */
  async outputOf(slug: string): Promise<Json> {
    const step = this.step(slug)
    const details = step.locator('details')
    if ((await details.getAttribute('open')) === null) await details.locator('summary').click()
    await step.getByRole('button', { name: 'JSON' }).click()
    return JSON.parse(await step.locator('pre').innerText()) as Json
  }

  /** The id of the run that is shown. */
  async runId(): Promise<string> {
    return this.main.locator('[data-part="run-id"]').innerText()
  }

  /** Saves a picture of the whole page, for people to look at. */
  async shoot(name: string): Promise<void> {
    await mkdir(output, { recursive: true })
    await this.page.screenshot({ path: `${output}${name}.png`, fullPage: true })
  }
}
