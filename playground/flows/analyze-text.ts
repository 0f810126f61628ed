import { Flow } from '@pgflow/dsl'
import { pace } from './pace.ts'
import { cleanText } from './text/clean.ts'
import { findKeywords } from './text/keywords.ts'
import { measureReadability } from './text/readability.ts'
import { writeReport } from './text/report.ts'
import { findSentiment } from './text/sentiment.ts'

/** clean → keywords ∥ sentiment ∥ readability → report */
export const AnalyzeText = new Flow<{ text: string }>({
  slug: 'analyze_text',
  maxAttempts: 2,
  baseDelay: 1,
  timeout: 10,
})
  // The same text stays as empty however often it is read: no second attempt.
  .step({ slug: 'clean', maxAttempts: 1 }, async (input, context) => {
    await pace(context)
    return cleanText(input.run.text)
  })
  .step({ slug: 'keywords', dependsOn: ['clean'] }, async (input, context) => {
    await pace(context)
    return findKeywords(input.clean.text)
  })
  .step({ slug: 'sentiment', dependsOn: ['clean'] }, async (input, context) => {
    await pace(context)
    return findSentiment(input.clean.text)
  })
  .step({ slug: 'readability', dependsOn: ['clean'] }, async (input, context) => {
    await pace(context)
    return measureReadability(input.clean.text)
  })
  .step(
    { slug: 'report', dependsOn: ['clean', 'keywords', 'sentiment', 'readability'] },
    async ({ clean, keywords, sentiment, readability }, context) => {
      await pace(context)
      return writeReport({ clean, keywords, sentiment, readability })
    },
  )
