import { describe, expect } from 'vitest'
import { expectAccessible } from './support/axe.ts'
import { test } from './support/test.ts'

describe('each flow, with the text that is there', () => {
  test.for([
    ['Analyse a text', 'report', 'A positive text about lighthouse, sea and keeper.'],
    ['Summarise a table', 'report', 'cups'],
    ['Shorten a text', 'summary', 'sentences'],
    ['Publish a report', 'page', 'coffee-sales-in-october.html'],
  ] as const)('%s runs to its end', async ([flow, last, words], { app }) => {
    await app.start(flow)
    await app.untilRun('Done')
    await expect.poll(() => app.step(last).innerText()).toContain(words)
    await app.notifications.getByText(`${flow}: done`).waitFor()
    await expectAccessible(app.page)
    await app.shoot(`flow-${last}-${flow.toLowerCase().replaceAll(' ', '-')}`)
  })

  test('Plan a route takes as long as its input sets', async ({ app }) => {
    await app.choose('Plan a route')
    await app.page.getByRole('spinbutton', { name: 'Seconds' }).fill('0')
    await app.startButton.click()
    await expect
      .poll(() => app.main.getByRole('alert').innerText())
      .toBe('Seconds: a number from 1 to 90.')
    await app.page.getByRole('spinbutton', { name: 'Seconds' }).fill('3')
    await app.startButton.click()
    await app.untilStep('search', 'started')
    await app.shoot('flow-plan-a-route-searching')
    await app.untilRun('Done')
    await expect.poll(() => app.step('itinerary').innerText()).toContain('32 stops')
    await expect.poll(() => app.step('search').innerText()).toContain('4 tasks')
  })
})

describe('what a step has made', () => {
  test('is shown as a page where it is one, in a frame that can do nothing', async ({ app }) => {
    await app.start('Publish a report')
    await app.untilRun('Done')
    const frame = app.step('page').locator('iframe')
    await expect.poll(() => frame.getAttribute('sandbox')).toBe('')
    const inside = app.step('page').frameLocator('iframe')
    await inside.getByRole('heading', { name: 'Coffee sales in October' }).waitFor()
    await app.step('page').getByRole('button', { name: 'Source' }).click()
    await expect.poll(() => app.step('page').innerText()).toContain('<!doctype html>')
  })
})

describe('a step that fails and is retried', () => {
  test('shows each attempt and its reason, while it lasts and afterwards', async ({
    app,
    playground,
  }) => {
    await app.start('Shorten a text')
    const attempts = app.step('weights').locator('[data-part="attempts"]')
    await attempts.filter({ hasText: '2 failed attempts so far' }).waitFor()
    // Nobody takes up the third, however long a reload takes.
    playground.backend.worker.pause()
    await expect.poll(() => attempts.innerText()).toMatch(/Attempt 1: The service .* at call 1\.\s/)
    await app.notifications.getByText('Weights is tried again').last().waitFor()
    await app.shoot('retries')
    // A page that is opened now knows of the last one.
    await app.page.reload()
    await attempts.filter({ hasText: 'Attempt 2: The service' }).waitFor()
    playground.backend.worker.resume()
    await app.untilRun('Done')
    await expect.poll(() => attempts.innerText()).toContain('before this one')
  })
})

describe('a map step', () => {
  const table = ['town,people', ...Array.from({ length: 300 }, (_, row) => `Town ${row},${row}`)]

  test(
    'of 300 tasks, from a file that was dropped, counts them',
    { timeout: 120_000 },
    async ({ app, playground }) => {
      await app.choose('Summarise a table')
      const data = await app.page.evaluateHandle((text) => {
        const transfer = new DataTransfer()
        transfer.items.add(new File([text], 'towns.csv', { type: 'text/csv' }))
        return transfer
      }, table.join('\n'))
      await app.text.dispatchEvent('drop', { dataTransfer: data })
      await expect.poll(() => app.text.inputValue()).toContain('Town 299,299')
      playground.backend.worker.pause()
      await app.startButton.click()
      await app.untilConnection('live')
      playground.backend.worker.resume()
      await app
        .step('inspect_rows')
        .getByText(/^\d+ of 300 tasks$/)
        .waitFor()
      await app.untilRun('Done')
      await expect.poll(() => app.step('inspect_rows').innerText()).toContain('300 tasks')
      await app.step('inspect_rows').locator('summary').click()
      await app.step('inspect_rows').getByRole('button', { name: 'Show all 300 rows' }).click()
      await app.step('inspect_rows').getByRole('cell', { name: 'Town 299', exact: true }).waitFor()
    },
  )

  test('does not begin with a file that is no text', async ({ app }) => {
    await app.choose('Summarise a table')
    await app.page
      .getByLabel('Open a file')
      .locator('visible=true')
      .setInputFiles({
        name: 'photo.jpg',
        mimeType: 'image/jpeg',
        buffer: Buffer.from([0xff, 0xd8, 0xff, 0xe0]),
      })
    const alert = app.main.getByRole('alert')
    await alert.waitFor()
    await expect.poll(() => alert.innerText()).toBe('photo.jpg is not a text file in UTF-8.')
    await expect.poll(() => app.text.inputValue()).toContain('Harbour')
  })
})
