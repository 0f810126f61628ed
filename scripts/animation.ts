import { setTimeout as wait } from 'node:timers/promises'
import { FaultPanel } from '../tests/browser/support/fault-panel.ts'
import { record } from './screenshots/record.ts'
import { onStage, pathOf, report } from './screenshots/stage.ts'

/**
 * Makes the animation of the README from the real app: a flow is started, its graph and its steps
 * move, the network goes away in the middle and comes back, and what is shown is true again.
 */
const name = 'playground.webp'
/** How long people look at something before the next thing happens, in ms. */
const aWhile = 1_200

await onStage(1_600, async ({ playground, visit }) => {
  const app = await visit({ viewport: { width: 1200, height: 800 }, colorScheme: 'light' })
  const { worker } = playground.backend
  const panel = new FaultPanel(app)
  const recording = await record(app.page)
  await wait(aWhile)

  worker.pause()
  await app.startButton.click()
  await app.openRun()
  await app.untilConnection('live')
  await wait(aWhile)
  worker.resume()
  await app.untilStep('keywords', 'started')
  await wait(aWhile / 2)

  await panel.panel.evaluate((element) => element.scrollIntoView({ block: 'end' }))
  await panel.choose('No network', 'on')
  await panel.untilDatabase('completed')
  await app.untilConnection('offline')
  await wait(2 * aWhile)
  await app.page.evaluate(() => window.scrollTo(0, 0))
  await wait(2 * aWhile)
  const reset = app.main.getByRole('status').getByRole('button', { name: 'Reset all faults' })
  await reset.click()
  await app.untilRun('Done')
  await panel.untilTrue()
  await wait(aWhile)
  await recording.save(pathOf(name))
  await report(name, 'moving')
})
