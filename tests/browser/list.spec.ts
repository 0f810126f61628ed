import { describe, expect } from 'vitest'
import { test } from './support/test.ts'

describe('the list of runs', () => {
  test('has pages, times and durations, and filters that live in the address', async ({
    app,
    playground,
  }) => {
    const { worker } = playground.backend
    for (let count = 0; count < 11; count += 1) {
      await app.start('Analyse a text', `Text number ${count}, and it is a good one.`)
      await app.untilRun('Done')
    }
    await app.start('Summarise a table', 'a,b\n1')
    await app.untilRun('Failed')
    worker.pause()
    await app.start('Analyse a text', 'This one waits.')
    await app.untilStep('clean', 'started')

    await app.visit('Runs')
    await app.rows.first().filter({ hasText: 'Running' }).waitFor()
    await expect.poll(() => app.rows.count()).toBe(10)
    // Only what goes on is followed.
    const progress = app.main.getByRole('progressbar')
    await expect.poll(() => progress.count()).toBe(1)
    await app.main.getByText('0 of 5 steps').waitFor()
    await expect.poll(() => progress.getAttribute('aria-label')).toBe('Progress of analyze_text')
    await expect.poll(() => app.rows.nth(2).innerText()).toMatch(/\d\d:\d\d:\d\d\s+[\d.]+ m?s/)
    await app.shoot('runs')
    await app.page.getByRole('button', { name: 'Show older runs' }).click()
    await app.main.getByText('13 runs', { exact: true }).waitFor()
    await expect.poll(() => app.rows.count()).toBe(13)

    await app.page.getByLabel('Status').selectOption('Failed')
    await app.main.getByText('1 run', { exact: true }).waitFor()
    await expect.poll(() => app.rows.innerText()).toContain('Summarise a table')
    await app.rows.click()
    await app.untilRun('Failed')
    await app.page.goBack()
    await app.main.getByText('1 run', { exact: true }).waitFor()
    await app.page.reload()
    await app.main.getByText('1 run', { exact: true }).waitFor()
    await expect.poll(() => app.page.getByLabel('Status').inputValue()).toBe('failed')
    await app.page.getByLabel('Flow').selectOption('Analyse a text')
    await app.main.getByText('None of your runs is like that.').waitFor()

    // What runs leaves this list when it ends, and nobody has to ask.
    await app.page.getByLabel('Status').selectOption('Running')
    await app.main.getByText('1 run', { exact: true }).waitFor()
    worker.resume()
    await app.main.getByText('None of your runs is like that.').waitFor()
    await progress.waitFor({ state: 'detached' })
  })

  test('survives an address that nobody can mean', async ({ app, playground }) => {
    await app.page.goto(`${playground.url}runs?status=constructor&flow=__proto__&flow=x`)
    await app.main.getByText('None of your runs is like that.').waitFor()
    expect(await app.page.getByRole('alert').count()).toBe(0)
  })
})
