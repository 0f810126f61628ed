import { describe, expect, onTestFinished } from 'vitest'
import { test } from './support/test.ts'
import { serveWebsite } from './support/website.ts'

const reportWith = (link: string) => `# October\n\n## Figures\n\nAll of them are in ${link}.\n`

describe('a flow that fails', () => {
  test('ends as failed after its retries, with the reason at the step that failed', async ({
    app,
  }) => {
    const website = await serveWebsite(503)
    onTestFinished(() => website.close())
    await app.start('Publish a report', reportWith(website.url))
    await app.untilStep('outline', 'completed')
    await app.untilRun('Failed')

    expect(website.visits).toBe(2)
    const reason = `Line 5: ${website.url} answers “503 Service Unavailable”.`
    await expect.poll(() => app.step('check_links').innerText()).toContain(reason)
    await expect.poll(() => app.step('page').innerText()).toContain('Not reached')
    await expect.poll(() => app.outputOf('outline')).toMatchObject({ title: 'October' })
    await expect
      .poll(() => app.main.getByRole('alert').innerText())
      .toContain('The run stopped at “Check links”.')
    await app.notifications.getByText('Publish a report: failed').waitFor()
    await app.untilConnection('closed')
  })

  test('continues when what was broken works again at the next attempt', async ({ app }) => {
    const website = await serveWebsite(503)
    onTestFinished(() => website.close())
    await app.start('Publish a report', reportWith(website.url))
    await expect.poll(() => website.visits).toBe(1)
    website.status = 200
    await app.untilRun('Done')
    expect(website.visits).toBe(2)
    await expect
      .poll(() => app.outputOf('page'))
      .toMatchObject({ file: 'october.html', checkedLinks: 1 })
  })

  test('shows what is wrong with the text, which can then be corrected', async ({ app }) => {
    await app.start('Summarise a table', 'town,people\nPorto,231800\nBraga')
    await app.untilRun('Failed')
    await expect
      .poll(() => app.step('rows').innerText())
      .toContain('Line 3 has 1 value, but the header names 2 columns.')

    // Something else was chosen and typed meanwhile: the button brings back what failed.
    await app.text.fill('a\n1')
    await app.choose('Analyse a text')
    await app.page.getByRole('button', { name: 'Change the text and start again' }).click()
    await expect.poll(() => app.text.inputValue()).toContain('Braga')
    await expect
      .poll(() => app.text.evaluate((field) => field === document.activeElement))
      .toBe(true)
    await app.text.press('End')
    await app.text.fill('town,people\nPorto,231800\nBraga,193349')
    await app.startButton.click()
    await app.untilRun('Done')
    await app.visit('Runs')
    await app.rows.nth(1).filter({ hasText: 'Failed' }).waitFor()
    await app.rows.nth(0).filter({ hasText: 'Done' }).waitFor()
  })
})
