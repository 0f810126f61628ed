import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import type { AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'

const source = readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Fails when axe finds anything serious on a page as it is shown now. */
export async function expectAccessible(page: Page): Promise<void> {
  // A colour on its way to another has too little contrast.
  await page.emulateMedia({ reducedMotion: 'reduce' })
  await page.evaluate(await source)
  // What is inside a preview is the visitor's own page, and out of reach.
  const { violations } = await page.evaluate<AxeResults>(
    `axe.run({ exclude: [['iframe']] }, { resultTypes: ['violations'], iframes: false })`,
  )
  const serious = violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
  expect(serious).toEqual([])
}

/** Fails when a page has to be scrolled sideways. */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  const width = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  expect(width).toBeLessThanOrEqual(0)
}
