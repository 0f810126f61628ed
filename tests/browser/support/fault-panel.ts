import type { Locator } from 'playwright-core'
import { expect } from 'vitest'
import type { BackendCore } from '../../../playground/backend/index.ts'
import type { App } from './app.ts'

/** The part of a page that makes the backend fail, and shows the store beside the database. */
export class FaultPanel {
  readonly panel: Locator
  readonly #app: App

  constructor(app: App) {
    this.#app = app
    this.panel = app.main.getByRole('region', { name: 'Make it fail' })
  }

  /** How many faults are on, in words. */
  get summary(): Locator {
    return this.panel.locator('[data-part="faults"]')
  }

  /** Whether what is shown is what the database has, in words. */
  get verdict(): Locator {
    return this.panel.locator('[data-part="verdict"]')
  }

  /** Records of the sync's trace of one kind. */
  records(kind: string): Locator {
    return this.panel.locator(`[data-kind="${kind}"]`)
  }

  /** Turns a switch, and waits until the backend has. */
  async choose(name: string, choice: string): Promise<void> {
    const answer = this.#answer('PATCH')
    await this.panel.getByLabel(name, { exact: true }).selectOption(choice)
    await answer
  }

  /** Presses a button, and waits until the backend has done what it says. */
  async press(name: string): Promise<void> {
    const answer = this.#answer('POST')
    await this.panel.getByRole('button', { name }).click()
    await answer
  }

  /** Waits until the panel shows a status in the database: of a step, or of the run itself. */
  async untilDatabase(status: string, slug = 'run'): Promise<void> {
    const cell = this.panel.locator(`[data-row="${slug}"] td`).nth(1)
    await cell.filter({ hasText: status }).waitFor()
  }

  /** Waits until nothing that is shown differs from the database. */
  async untilTrue(): Promise<void> {
    await this.verdict.filter({ hasText: 'What is shown is what the database has.' }).waitFor()
  }

  async #answer(method: string): Promise<void> {
    await this.#app.page.waitForResponse(
      (response) =>
        response.url().includes('/embedded/v1/faults') && response.request().method() === method,
    )
  }
}

/** Fails unless the page shows the run and each of its steps as the database has them. */
export async function expectTruth(app: App, { db }: BackendCore): Promise<void> {
  const [id, badge] = [await app.runId(), app.main.locator('[data-part="run-status"]')]
  const steps = await db.query<{ slug: string; status: string }>(
    'select step_slug as slug, status from pgflow.step_states where run_id = $1 order by 1',
    [id],
  )
  const [run] = await db.query<{ status: string }>(
    'select status from pgflow.runs where run_id = $1',
    [id],
  )
  const shown = async () => {
    const statuses = await app.main.locator('li[data-step]').evaluateAll((items) =>
      items.map((item) => ({
        slug: item.getAttribute('data-step'),
        status: item.getAttribute('data-status'),
      })),
    )
    return statuses.sort((a, b) => ((a.slug ?? '') < (b.slug ?? '') ? -1 : 1))
  }
  await expect.poll(shown).toEqual(steps)
  const labels = new Map([
    ['started', 'Running'],
    ['completed', 'Done'],
    ['failed', 'Failed'],
  ])
  await expect.poll(() => badge.innerText()).toBe(labels.get(run?.status ?? ''))
}
