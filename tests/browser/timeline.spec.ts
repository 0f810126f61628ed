import { describe, expect } from 'vitest'
import { test } from './support/test.ts'

describe('the timeline of a run', () => {
  test('shows a step that has just started, also where the clock is behind', async ({
    app,
    playground,
  }) => {
    await app.page.addInitScript(() => {
      const now = Date.now.bind(Date)
      Date.now = () => now() - 60_000
    })
    await app.page.reload()
    playground.backend.worker.pause()
    await app.start('Analyse a text')
    await app.openRun()
    const row = app.main.locator('.pgflow-timeline [data-step="clean"]')
    await row.getByText('just started').waitFor()
    const [bar, track] = await Promise.all([
      row.locator('.pgflow-bar').boundingBox(),
      row.locator('.pgflow-track').boundingBox(),
    ])
    if (!bar || !track) throw new Error('There is no bar.')
    expect(bar.width).toBeGreaterThanOrEqual(6)
    expect(bar.x).toBeGreaterThanOrEqual(track.x)
    expect(bar.x + bar.width).toBeLessThanOrEqual(track.x + track.width + 0.5)
  })
})
