import { mkdir, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { App } from '../tests/browser/support/app.ts'
import { launchChromium } from '../tests/browser/support/chromium.ts'
import { ConsoleWatch } from '../tests/browser/support/console-watch.ts'
import { servePlayground, type Playground } from '../tests/browser/support/playground.ts'

const file = fileURLToPath(new URL('../docs/screenshots/playground.png', import.meta.url))
const mostBytes = 300_000

/** Takes the picture of the README from the real app: a run that is under way. */
async function takeScreenshot(playground: Playground, app: App): Promise<void> {
  const { worker } = playground.backend
  // The three in the middle finish, and nobody takes up the last step: a moment that holds still.
  worker.pause()
  await app.choose('Analyse a text')
  await app.startButton.click()
  await app.openRun()
  await app.untilConnection('live')
  worker.resume()
  await app.untilStep('readability', 'started')
  worker.pause()
  await app.untilStep('report', 'started')
  await app.notifications.getByRole('button', { name: /^Dismiss/ }).click()
  await app.page.mouse.move(0, 0)
  await app.page.screenshot({ path: file })
  worker.resume()
  await app.untilRun('Done')
}

const [playground, browser] = await Promise.all([
  servePlayground({ paceMs: 500 }),
  launchChromium(),
])
try {
  const page = await browser.newPage({
    viewport: { width: 1200, height: 1046 },
    deviceScaleFactor: 1.25,
    colorScheme: 'light',
    reducedMotion: 'reduce',
  })
  await page.goto(playground.url)
  await mkdir(new URL('.', `file://${file}`), { recursive: true })
  await takeScreenshot(playground, new App(page, new ConsoleWatch(page)))
  const { size } = await stat(file)
  if (size > mostBytes) throw new Error(`The screenshot has ${size} bytes, more than ${mostBytes}`)
  console.log(`docs/screenshots/playground.png: ${Math.round(size / 1000)} kB`)
} finally {
  await browser.close()
  await playground.close()
}
