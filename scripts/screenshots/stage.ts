import { mkdir, stat } from 'node:fs/promises'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BrowserContextOptions } from 'playwright-core'
import { App } from '../../tests/browser/support/app.ts'
import { launchChromium } from '../../tests/browser/support/chromium.ts'
import { servePlayground, type Playground } from '../../tests/browser/support/playground.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = fileURLToPath(new URL('../../docs/screenshots/', import.meta.url))

/** A picture that is larger makes a page that shows it slow. */
const mostBytes = 500_000

/** The running playground, in front of a visitor with a browser of their own. */
export interface Stage {
  playground: Playground
  visit: (options: BrowserContextOptions) => Promise<App>
}

/** Serves the playground for as long as `work` takes. */
export async function onStage(
  paceMs: number,
  work: (stage: Stage) => Promise<void>,
): Promise<void> {
  const [playground, browser] = await Promise.all([servePlayground({ paceMs }), launchChromium()])
  try {
    await mkdir(folder, { recursive: true })
    const visit = async (options: BrowserContextOptions) => {
      const context = await browser.newContext({ reducedMotion: 'reduce', ...options })
      const app = new App(await context.newPage())
      await app.page.goto(playground.url)
      await app.startButton.waitFor()
      return app
    }
    await work({ playground, visit })
  } finally {
    await browser.close()
    await playground.close()
  }
}

/** Where a picture is kept. */
export function pathOf(name: string): string {
  return `${folder}${name}`
}

/**
 * Says how large a picture has become.
 * @throws Error if it is too large to be kept.
 */
export async function report(name: string): Promise<void> {
  const { size } = await stat(pathOf(name))
  if (size > mostBytes) throw new Error(`${name} has ${size} bytes, more than ${mostBytes}.`)
  console.log(`${relative(root, pathOf(name))}: ${Math.round(size / 1000)} kB`)
}
