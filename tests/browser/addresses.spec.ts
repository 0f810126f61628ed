import { describe, expect } from 'vitest'
import { App } from './support/app.ts'
import { test } from './support/test.ts'

const text = 'Bees love clover. Clover has bees. Bees make wonderful honey.'

describe('the address of a run', () => {
  test('survives a reload in the middle, and the run continues', async ({ app, playground }) => {
    const { worker } = playground.backend
    worker.pause()
    await app.start('Analyse a text', text)
    await app.openRun()
    await app.untilStep('clean', 'started')
    const id = await app.runId()
    expect(new URL(app.page.url()).pathname).toBe(`/runs/${id}`)
    await app.page.reload()
    await app.untilStep('clean', 'started')
    await app.untilConnection('live')
    worker.resume()
    await app.untilRun('Done')
    await expect.poll(() => app.runId()).toBe(id)
    await expect.poll(() => app.page.title()).toBe('Analyse a text · pinia-pgflow playground')
    await app.shoot('run-done')
  })

  test('shows the same run live in a second tab', async ({ app, playground }) => {
    const { worker } = playground.backend
    worker.pause()
    await app.start('Analyse a text', text)
    await app.openRun()
    const second = new App(await app.page.context().newPage())
    await second.page.goto(app.page.url())
    await second.untilStep('clean', 'started')
    await Promise.all([app.untilConnection('live'), second.untilConnection('live')])
    worker.resume()
    await Promise.all([app.untilRun('Done'), second.untilRun('Done')])
    await expect.poll(() => second.runId()).toBe(await app.runId())
    second.console.check()
  })

  test('is reached by the back button, and so is what was typed', async ({ app }) => {
    await app.start('Analyse a text', text)
    await app.openRun()
    await app.untilRun('Done')
    const first = await app.runId()
    await app.page.getByRole('button', { name: 'Run again with the same input' }).click()
    await expect.poll(() => app.runId()).not.toBe(first)
    await app.untilRun('Done')
    await expect.poll(() => app.outputOf('clean')).toMatchObject({ text })
    await app.page.goBack()
    await expect.poll(() => app.runId()).toBe(first)
    await app.page.goBack()
    await app.startButton.waitFor()
    await expect.poll(() => app.text.inputValue()).toBe(text)
  })

  test('can name a step, whose output is then shown', async ({ app }) => {
    await app.start('Analyse a text', text)
    await app.openRun()
    await app.untilRun('Done')
    await app.page.goto(`${app.page.url()}?step=keywords`)
    await app.step('keywords').getByRole('columnheader', { name: 'Percent' }).waitFor()
  })

  test('takes the step that is chosen in the picture of the run', async ({ app }) => {
    await app.start('Analyse a text', text)
    await app.openRun()
    await app.untilRun('Done')
    await app.main
      .getByRole('option', { name: /^keywords/ })
      .first()
      .click()
    await app.step('keywords').getByRole('columnheader', { name: 'Percent' }).waitFor()
    expect(new URL(app.page.url()).searchParams.get('step')).toBe('keywords')
  })

  test.for(['7f0c8d6e-0000-4000-8000-000000000000', 'constructor', '%F0%9F%90%9D'])(
    'of no run, such as %s, is explained',
    async (id, { app, playground }) => {
      await app.page.goto(`${playground.url}runs/${id}`)
      await app.heading.filter({ hasText: 'No run to show' }).waitFor()
      await app.main.getByRole('alert').waitFor()
      await app.shoot('run-missing')
    },
  )

  test('of no page leads back', async ({ app, playground }) => {
    await app.page.goto(`${playground.url}nowhere/at/all`)
    await app.heading.filter({ hasText: 'There is no such page' }).waitFor()
    await app.main.getByRole('link', { name: 'your runs' }).click()
    await app.heading.filter({ hasText: 'Your runs' }).waitFor()
  })
})

describe('what is typed', () => {
  test('survives a reload, with the flow that was chosen and the run', async ({ app }) => {
    await app.start('Analyse a text', text)
    await app.untilRun('Done')
    await app.choose('Plan a route')
    await app.page.getByRole('spinbutton', { name: 'Seconds' }).fill('7')
    await app.text.fill('place,x,y')
    await app.page.reload()
    await app.startButton.waitFor()
    await expect.poll(() => app.text.inputValue()).toBe('place,x,y')
    await expect
      .poll(() => app.page.getByRole('spinbutton', { name: 'Seconds' }).inputValue())
      .toBe('7')
    await app.untilRun('Done')
    await app.choose('Analyse a text')
    await expect.poll(() => app.text.inputValue()).toBe(text)
  })

  test('is forgotten where it is not what this page wrote', async ({ app }) => {
    await app.page.evaluate(() => {
      const foreign = { flow: 'constructor', drafts: [['analyze_text'], 7], runId: {}, amounts: 1 }
      sessionStorage.setItem('pinia-pgflow-playground', JSON.stringify(foreign))
    })
    await app.page.reload()
    await app.startButton.waitFor()
    await expect.poll(() => app.text.inputValue()).toContain('lighthouse')
  })
})
