import type { Page } from 'playwright-core'

declare global {
  interface Window {
    /** The statuses each step of the selected run has shown, by slug. */
    stepHistory: Record<string, string[]>
  }
}

/** Notes every status that a step shows from now on, however briefly, until the page is left. */
export async function recordSteps(page: Page): Promise<void> {
  await page.evaluate(() => {
    window.stepHistory = {}
    const note = (slug: string, status: string | null | undefined) => {
      const history = (window.stepHistory[slug] ??= [])
      if (status && history.at(-1) !== status) history.push(status)
    }
    const begin = (node: Node) => {
      if (!(node instanceof Element)) return
      for (const step of [node, ...node.querySelectorAll('[data-step]')]) {
        const slug = step.getAttribute('data-step')
        if (slug === null) continue
        window.stepHistory[slug] = []
        note(slug, step.getAttribute('data-status'))
      }
    }
    new MutationObserver((records) => {
      for (const { type, target, addedNodes, oldValue } of records) {
        if (type === 'childList') addedNodes.forEach(begin)
        else if (target instanceof HTMLElement) {
          note(target.dataset.step ?? '', oldValue)
          note(target.dataset.step ?? '', target.dataset.status)
        }
      }
    }).observe(document, {
      subtree: true,
      childList: true,
      attributeFilter: ['data-status'],
      attributeOldValue: true,
    })
  })
}

/** What each step has shown since its run was selected. */
export function stepHistory(page: Page): Promise<Record<string, string[]>> {
  return page.evaluate(() => window.stepHistory)
}
