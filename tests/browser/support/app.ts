import type { Locator, Page } from 'playwright-core'
import type { Json } from 'pinia-pgflow'
import type { ConsoleWatch } from './console-watch.ts'

/** The playground as somebody in front of it sees it. */
export class App {
  readonly page: Page
  readonly console: ConsoleWatch

  constructor(page: Page, console: ConsoleWatch) {
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

  /** The runs in the list, the newest first. */
  get runs(): Locator {
    return this.page.getByRole('navigation', { name: 'Runs of this session' }).getByRole('button')
  }

  get selected(): Locator {
    return this.page.getByRole('region', { name: 'Selected run' })
  }

  step(slug: string): Locator {
    return this.selected.locator(`[data-step="${slug}"]`)
  }

  async choose(flow: string): Promise<void> {
    await this.page.getByRole('radio', { name: flow }).check()
  }

  /** Starts a flow with a text, by clicking. */
  async start(flow: string, text: string): Promise<void> {
    await this.choose(flow)
    await this.text.fill(text)
    await this.startButton.click()
  }

  async untilStep(slug: string, status: string): Promise<void> {
    await this.selected.locator(`[data-step="${slug}"][data-status="${status}"]`).waitFor()
  }

  async untilRun(status: string): Promise<void> {
    const badge = this.selected.locator('[data-part="run-status"]')
    await badge.filter({ hasText: status }).waitFor()
  }

  async untilConnection(status: string): Promise<void> {
    await this.selected.locator(`[data-connection="${status}"]`).waitFor()
  }

  /** The output of a step as JSON, as the page shows it. */
  async outputOf(slug: string): Promise<Json> {
    const step = this.step(slug)
    const details = step.locator('details')
    if ((await details.getAttribute('open')) === null) await details.locator('summary').click()
    await step.getByRole('button', { name: 'JSON' }).click()
    return JSON.parse(await step.locator('pre').innerText()) as Json
  }

  /** The id of the run that is selected. */
  async runId(): Promise<string> {
    return this.selected.locator('code').innerText()
  }
}
