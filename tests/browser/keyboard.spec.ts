import { describe, expect } from 'vitest'
import { test } from './support/test.ts'

describe('the keyboard', () => {
  test('is enough to choose a flow, type a text, start and read the output', async ({ app }) => {
    const { page } = app
    const focused = () =>
      page.evaluate(() => {
        const element = document.activeElement
        return element?.getAttribute('value') ?? element?.textContent.trim() ?? ''
      })
    const tabTo = async (what: string) => {
      for (let presses = 0; presses < 30; presses += 1) {
        await page.keyboard.press('Tab')
        if ((await focused()).includes(what)) return
      }
      throw new Error(`Tab does not reach ${what}`)
    }

    await tabTo('Skip to the page')
    await page.keyboard.press('Enter')
    await tabTo('analyze_text')
    await page.keyboard.press('ArrowDown')
    expect(await focused()).toBe('analyze_csv')
    await page.keyboard.press('ArrowUp')
    await tabTo('A complaint')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    await page.keyboard.press('ControlOrMeta+a')
    await page.keyboard.type('A short and lovely text.')
    await page.keyboard.press('Tab')
    expect(await focused()).toBe('Start')
    await page.keyboard.press('Enter')
    await app.untilRun('Done')
    expect(await focused()).toBe('Start')

    await tabTo('Output of Keywords')
    await page.keyboard.press('Enter')
    await app.step('keywords').getByRole('columnheader', { name: 'Percent' }).waitFor()
    await tabTo('JSON')
    await page.keyboard.press('Space')
    await expect.poll(() => app.step('keywords').locator('pre').innerText()).toContain('"lovely"')
  })

  test('starts a flow by Ctrl+Enter, and the focus stays in the text', async ({ app }) => {
    await app.text.fill('A short and lovely text.')
    await app.text.press('ControlOrMeta+Enter')
    await app.untilRun('Done')
    await expect
      .poll(() => app.text.evaluate((field) => field === document.activeElement))
      .toBe(true)
  })

  test('begins at the heading of a page that a link leads to', async ({ app }) => {
    await app.visit('Runs')
    await app.heading.filter({ hasText: 'Your runs' }).waitFor()
    await expect
      .poll(() => app.heading.evaluate((heading) => heading === document.activeElement))
      .toBe(true)
  })

  test('announces to screen readers what happens', async ({ app, playground: { backend } }) => {
    backend.worker.pause()
    await app.page.evaluate(() => {
      window.announcements = []
      new MutationObserver(() => {
        const live = document.querySelectorAll('[aria-live="polite"]')
        window.announcements.push(...[...live].map(({ textContent }) => textContent))
      }).observe(document, { subtree: true, childList: true, characterData: true })
    })
    await app.start('Analyse a text', 'A short and lovely text.')
    await app.untilConnection('live')
    backend.worker.resume()
    await app.untilRun('Done')
    // The last of them comes with the notification, which may be a little later than the page.
    await app.page.waitForFunction(() =>
      window.announcements.join('\n').includes('Analyse a text: done'),
    )
    const announced = await app.page.evaluate(() => window.announcements.join('\n'))
    expect(announced).toContain('Clean: Done.')
    expect(announced).toContain('Report: Running.')
  })
})

declare global {
  interface Window {
    announcements: string[]
  }
}
