import { Flow } from '@pgflow/dsl'
import { pace } from './pace.ts'
import { checkLinks } from './report/links.ts'
import { readOutline } from './report/outline.ts'
import { makePage } from './report/page.ts'

/** outline → check_links (tried again, as servers come back) → page */
export const PublishReport = new Flow<{ markdown: string }>({
  slug: 'publish_report',
  maxAttempts: 2,
  baseDelay: 1,
  timeout: 10,
})
  // A report without a title will not grow one: no second attempt.
  .step({ slug: 'outline', maxAttempts: 1 }, async (input, context) => {
    await pace(context)
    return readOutline(input.run.markdown)
  })
  .step({ slug: 'check_links', dependsOn: ['outline'] }, async (input, context) => {
    await pace(context)
    return { links: await checkLinks(input.outline.links) }
  })
  .step({ slug: 'page', dependsOn: ['outline', 'check_links'] }, async (input, context) => {
    await pace(context)
    return makePage(input.run.markdown, input.outline, input.check_links.links)
  })
