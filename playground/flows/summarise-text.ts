import { Flow } from '@pgflow/dsl'
import { pace } from './pace.ts'
import { weighSentences } from './summary/busy-service.ts'
import { splitText } from './summary/sentences.ts'
import { writeSummary } from './summary/summary.ts'

/**
 * sentences → weights (fails twice and recovers) → summary
 *
 * A run waits for 2 s after the first failure and for 4 s after the second.
 */
export const SummariseText = new Flow<{ text: string }>({
  slug: 'summarise_text',
  maxAttempts: 4,
  baseDelay: 1,
  timeout: 10,
})
  // A short text stays short: no second attempt.
  .step({ slug: 'sentences', maxAttempts: 1 }, async (input, context) => {
    await pace(context)
    return splitText(input.run.text)
  })
  .step({ slug: 'weights', dependsOn: ['sentences'] }, async (input, context) => {
    await pace(context)
    // The queue counts how often it has handed out the task.
    return weighSentences(input.sentences.sentences, context.rawMessage.read_ct)
  })
  .step({ slug: 'summary', dependsOn: ['sentences', 'weights'] }, async (input, context) => {
    await pace(context)
    return writeSummary(input.sentences, input.weights)
  })
