import { describe, expect } from 'vitest'
import { recordSteps, stepHistory } from './support/step-history.ts'
import { test } from './support/test.ts'

const text = 'Bees love clover. Clover has bees. Bees make wonderful honey.'

describe('a run', () => {
  test('shows each step created, started and completed, live, and its output', async ({
    app,
    playground: { backend },
  }) => {
    await recordSteps(app.page)
    backend.worker.pause()
    await app.start('Analyse a text', text)
    await app.untilStep('clean', 'started')
    await app.untilConnection('live')
    await expect.poll(() => app.step('report').innerText()).toContain('Waiting')

    // From here on everything arrives as broadcasts, one by one.
    backend.worker.resume()
    await app.untilRun('Done')
    const seen = ['created', 'started', 'completed']
    await expect
      .poll(() => stepHistory(app.page))
      .toEqual({
        clean: seen,
        keywords: seen,
        sentiment: seen,
        readability: seen,
        report: seen,
      })

    await expect.poll(() => app.outputOf('clean')).toMatchObject({ words: 10, sentences: 3, text })
    await expect
      .poll(() => app.outputOf('sentiment'))
      .toMatchObject({
        mood: 'positive',
        positive: ['love', 'wonderful'],
      })
    await app.untilConnection('closed')
    const [row] = await backend.db.query<{ output: { report: unknown } }>(
      'select output from pgflow.runs where run_id = $1',
      [await app.runId()],
    )
    await expect.poll(() => app.outputOf('report')).toEqual(row?.output.report)
    expect(row?.output.report).toMatchObject({
      headline: 'A positive text about bees, clover and love.',
    })
    await expect.poll(() => app.main.innerText()).toContain('5 of 5 steps')
  })

  test('with a map step shows how many tasks it has, and figures of the table', async ({ app }) => {
    await app.start('Summarise a table', 'town,people\nPorto,231800\nBraga,193349\nFaro,67650')
    await app.untilRun('Done')
    await expect.poll(() => app.step('inspect_rows').innerText()).toContain('3 tasks')
    await expect
      .poll(() => app.outputOf('inspect_rows'))
      .toContainEqual({
        line: 3,
        values: [
          ['town', 'Braga'],
          ['people', 193349],
        ],
      })
    await app.step('statistics').locator('summary').click()
    const figures = app.step('statistics').getByRole('row', { name: /^people/ })
    await expect
      .poll(() => figures.getByRole('cell').allInnerTexts())
      .toEqual([
        'people',
        '3',
        '0',
        '67,650',
        '193,349',
        '164,266.33',
        '231,800',
        '85,852.53',
        '492,799',
      ])
  })

  test('ends right although the connection is cut in the middle', async ({
    app,
    playground: { backend },
  }) => {
    backend.worker.pause()
    await app.start('Analyse a text', text)
    await app.untilConnection('live')
    expect(backend.realtime.faults.killSockets()).toBeGreaterThan(0)
    await app.untilConnection('offline')
    await expect.poll(() => app.main.innerText()).toContain('It reconnects by itself')

    // What happens now, nobody is told.
    backend.worker.resume()
    await app.untilRun('Done')
    await app.untilConnection('closed')
    await expect
      .poll(() => app.outputOf('report'))
      .toMatchObject({
        headline: 'A positive text about bees, clover and love.',
      })
    expect(await app.page.getByRole('alert').count()).toBe(0)
  })
})
