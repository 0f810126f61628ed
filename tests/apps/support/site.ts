import type { BrowserContext, Page } from 'playwright-core'
import { ConsoleWatch } from '../../browser/support/console-watch.ts'

/** A page of an app in a tab of its own, and what the server sent of it. */
export interface Visit {
  page: Page
  console: ConsoleWatch
  status: number
  html: string
}

/** Opens a page; any error or warning of the browser that is not declared fails `console.check`. */
export async function visit(context: BrowserContext, url: string): Promise<Visit> {
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  const console = new ConsoleWatch(page)
  const response = await page.goto(url)
  if (!response) throw new Error(`${url} gave no response`)
  return { page, console, status: response.status(), html: await response.text() }
}

/** What an element shows, once it shows this. */
export async function untilText(page: Page, selector: string, text: string): Promise<void> {
  await page.locator(selector).filter({ hasText: text }).first().waitFor()
}

/** Waits until Vue has taken over what the server sent. */
export async function untilHydrated(page: Page): Promise<void> {
  await page.waitForFunction(() => {
    const root = document.querySelector('#__nuxt')
    return root !== null && '__vue_app__' in root && root.children.length > 0
  })
  await page.waitForLoadState('networkidle')
}
