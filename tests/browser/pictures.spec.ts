import { describe, expect } from 'vitest'
import { test } from './support/test.ts'

describe('the graph of a run', () => {
  test('opens where the flow begins, also where it is larger than its place', async ({ app }) => {
    await app.page.setViewportSize({ width: 320, height: 800 })
    await app.start('Analyse a text')
    await app.untilRun('Done')
    await app.openRun()
    const place = app.main.locator('.pgflow-graph .pgflow-scroller')
    const first = place.locator('[data-step="clean"]')
    await first.waitFor()
    const [inside, around] = await Promise.all([first.boundingBox(), place.boundingBox()])
    if (!inside || !around) throw new Error('There is no graph.')
    const isLarger = await place.evaluate((each) => each.scrollWidth > each.clientWidth)
    expect(isLarger).toBe(true)
    expect(inside.x).toBeGreaterThanOrEqual(around.x)
    expect(inside.x + inside.width).toBeLessThanOrEqual(around.x + around.width)
  })
})

describe('the focus in a graph', () => {
  test('is seen at the box of its step alone, whatever the page gives to what has it', async ({
    app,
  }) => {
    await app.start('Analyse a text')
    await app.untilRun('Done')
    await app.openRun()
    await app.main.getByRole('button', { name: 'Run again' }).focus()
    await app.page.keyboard.press('Tab')
    const step = app.main.locator('.pgflow-node[data-step="clean"]')
    const seen = await step.evaluate((each) => ({
      hasFocus: each.matches(':focus-visible'),
      outline: getComputedStyle(each).outlineStyle,
      box: getComputedStyle(each.querySelector('.pgflow-box') ?? each).strokeWidth,
    }))
    expect(seen).toEqual({ hasFocus: true, outline: 'none', box: '3px' })
  })
})

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

  test('can be read on a phone: whole names, above bars as wide as there is room', async ({
    app,
  }) => {
    await app.page.setViewportSize({ width: 320, height: 800 })
    await app.start('Summarise a table')
    await app.untilRun('Done')
    await app.openRun()
    const rows = app.main.locator('.pgflow-timeline [role=option]')
    await expect.poll(() => rows.count()).toBe(5)
    for (const row of await rows.all()) {
      const name = row.locator('.pgflow-row-name')
      const isWhole = await name.evaluate((each) => each.scrollWidth <= each.clientWidth)
      expect(isWhole, await name.innerText()).toBe(true)
      const [above, track] = await Promise.all([
        name.boundingBox(),
        row.locator('.pgflow-track').boundingBox(),
      ])
      if (!above || !track) throw new Error('There is no row.')
      expect(track.width).toBeGreaterThan(200)
      expect(track.y).toBeGreaterThanOrEqual(above.y + above.height)
    }
    await app.shoot('timeline-320')
  })
})
