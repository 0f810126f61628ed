import { describe, expect } from 'vitest'
import { test } from './support/test.ts'

describe('the code of a page', () => {
  test('is shown file by file, and a file that cannot be loaded says so', async ({ app }) => {
    await app.start('Analyse a text', 'Bees love clover.')
    await app.openRun()
    await app.untilRun('Done')
    await app.main.getByText('The code of this page').click()
    const shown = (file: string) => app.main.getByRole('region', { name: file, exact: true })
    await expect.poll(() => shown('RunPage.vue').innerText()).toContain('useRun(() => runId)')

    // As without a network, or after a newer version was put in its place.
    app.console.expect(/net::ERR_FAILED/)
    await app.page.route(/StepList/, (route) => route.abort())
    await app.main.getByRole('button', { name: 'StepList.vue' }).click()
    await app.main.getByRole('alert').filter({ hasText: 'StepList.vue could not' }).waitFor()

    await app.main.getByRole('button', { name: 'RunAgain.vue' }).click()
    await expect.poll(() => shown('RunAgain.vue').innerText()).toContain('<script setup')
    await expect.poll(() => app.main.getByRole('alert').count()).toBe(0)
  })
})
