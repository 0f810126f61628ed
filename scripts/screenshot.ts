import type { App } from '../tests/browser/support/app.ts'
import { FaultPanel } from '../tests/browser/support/fault-panel.ts'
import { onStage, takePicture, type Stage } from './screenshots/stage.ts'

/** Takes the pictures of the documentation from the real app; `npm run animation` makes the moving one. */
const schemes = ['light', 'dark'] as const

async function shoot(app: App, name: string): Promise<void> {
  const dismiss = app.notifications.getByRole('button', { name: /^Dismiss/ })
  // One may go by itself meanwhile.
  while ((await dismiss.count()) > 0) {
    await dismiss
      .first()
      .click({ timeout: 1_000 })
      .catch(() => undefined)
  }
  await app.page.mouse.move(0, 0)
  await takePicture(app.page, name)
}

/** A run that is under way: a moment that holds still. */
async function shootRun({ playground: { backend }, visit }: Stage): Promise<void> {
  for (const colorScheme of schemes) {
    const app = await visit({
      viewport: { width: 1200, height: 1046 },
      deviceScaleFactor: 1.25,
      colorScheme,
    })
    // The three in the middle finish, and nobody takes up the last step.
    backend.worker.pause()
    await app.startButton.click()
    await app.openRun()
    await app.untilConnection('live')
    backend.worker.resume()
    await app.untilStep('readability', 'started')
    backend.worker.pause()
    await app.untilStep('report', 'started')
    await shoot(app, `run-${colorScheme}.webp`)
    backend.worker.resume()
    await app.untilRun('Done')
  }
}

/** Runs that are done, have failed and go on. */
async function shootRuns({ playground: { backend }, visit }: Stage): Promise<void> {
  const viewport = { width: 1200, height: 640 }
  const app = await visit({ viewport, deviceScaleFactor: 1.25, colorScheme: 'light' })
  // Only for who is signed in to private runs the list is live.
  await app.visit('Account')
  await app.page.getByRole('button', { name: 'Private runs' }).click()
  await app.page.getByRole('button', { name: 'Private runs', pressed: true }).waitFor()
  await app.visit('Flows')
  for (const [flow, text, status] of [
    ['Analyse a text', undefined, 'Done'],
    ['Summarise a table', undefined, 'Done'],
    ['Summarise a table', 'town,people\nPorto,231800\nBraga', 'Failed'],
  ] as const) {
    await app.start(flow, text)
    await app.untilRun(status)
  }
  await app.start('Plan a route')
  await app.untilStep('search', 'started')
  await app.visit('Runs')
  await app.untilConnection('live')
  await app.main.getByText('2 of 5 steps').waitFor()
  await shoot(app, 'runs.webp')
  await backend.db.query(`select pgflow_realtime.set_visibility('public')`)
}

/** A run whose page has lost its connection, beside what has become of it. */
async function shootFaults({ playground: { backend }, visit }: Stage): Promise<void> {
  const viewport = { width: 1300, height: 900 }
  const app = await visit({ viewport, deviceScaleFactor: 1.25, colorScheme: 'light' })
  backend.worker.pause()
  await app.startButton.click()
  await app.openRun()
  await app.untilConnection('live')
  const panel = new FaultPanel(app)
  await panel.choose('No network', 'on')
  await app.untilConnection('offline')
  backend.worker.resume()
  await panel.untilDatabase('completed')
  await panel.panel.evaluate((element) => element.scrollIntoView({ block: 'end' }))
  await shoot(app, 'faults.webp')
  await panel.press('Reset all faults')
  await app.untilRun('Done')
}

await onStage(500, async (stage) => {
  await shootRun(stage)
  await shootRuns(stage)
  await shootFaults(stage)
})
