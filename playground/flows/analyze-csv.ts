import { Flow } from '@pgflow/dsl'
import { inspectRow } from './csv/inspect.ts'
import { findOutliers } from './csv/outliers.ts'
import { parseCsv } from './csv/parse.ts'
import { writeTableReport } from './csv/report.ts'
import { summarise } from './csv/statistics.ts'
import { pace } from './pace.ts'

/** rows → inspect_rows (a task for every row) → statistics → outliers → report */
export const AnalyzeCsv = new Flow<{ csv: string }>({
  slug: 'analyze_csv',
  maxAttempts: 2,
  baseDelay: 1,
  timeout: 10,
})
  // Broken CSV stays broken: no second attempt.
  .array({ slug: 'rows', maxAttempts: 1 }, async (input, context) => {
    await pace(context)
    return parseCsv(input.run.csv)
  })
  .map({ slug: 'inspect_rows', array: 'rows' }, (row) => inspectRow(row))
  .step({ slug: 'statistics', dependsOn: ['inspect_rows'] }, async (input, context) => {
    await pace(context)
    return summarise(input.inspect_rows)
  })
  .step({ slug: 'outliers', dependsOn: ['inspect_rows', 'statistics'] }, async (input, context) => {
    await pace(context)
    return findOutliers(input.inspect_rows, input.statistics)
  })
  .step({ slug: 'report', dependsOn: ['statistics', 'outliers'] }, async (input, context) => {
    await pace(context)
    return writeTableReport(input.statistics, input.outliers)
  })
