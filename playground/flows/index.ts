import type { AnyFlow } from '@pgflow/dsl'
import { AnalyzeCsv } from './analyze-csv.ts'
import { AnalyzeText } from './analyze-text.ts'
import { PublishReport } from './publish-report.ts'

/** The flows of the playground, for the worker. The page itself needs only their types. */
export const flows: readonly AnyFlow[] = [AnalyzeText, AnalyzeCsv, PublishReport]
