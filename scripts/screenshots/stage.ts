import { mkdir, stat } from 'node:fs/promises'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BrowserContextOptions, Page } from 'playwright-core'
import sharp from 'sharp'
import { App } from '../../tests/browser/support/app.ts'
import { launchChromium } from '../../tests/browser/support/chromium.ts'
import { servePlayground, type Playground } from '../../tests/browser/support/playground.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = fileURLToPath(new URL('../../docs/screenshots/', import.meta.url))

/** All pictures together are part of the package, which is to be small. */
const mostBytes = { still: 100_000, moving: 300_000 }

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

/** Takes a picture of what a page shows. */
export async function takePicture(page: Page, name: string): Promise<void> {
  const image = sharp(await page.screenshot())
  // Thin coloured lines and letters keep their edges.
  await image.webp({ quality: 72, effort: 6, smartSubsample: true }).toFile(pathOf(name))
  await report(name, 'still')
}

/**
 * Says how large a picture has become.
 * @throws Error if it is too large to be kept.
 */
export async function report(name: string, kind: 'still' | 'moving'): Promise<void> {
  const { size } = await stat(pathOf(name))
  const most = mostBytes[kind]
  if (size > most) throw new Error(`${name} has ${size} bytes, more than ${most}.`)
  console.log(`${relative(root, pathOf(name))}: ${Math.round(size / 1000)} kB`)
}
