import type { AnalyzeCsv } from '../flows/analyze-csv.ts'
import type { AnalyzeText } from '../flows/analyze-text.ts'
import type { PlanRoute } from '../flows/plan-route.ts'
import type { PublishReport } from '../flows/publish-report.ts'
import type { SummariseText } from '../flows/summarise-text.ts'

// Types only: the handlers stay with the worker, none of their code reaches the browser.
declare module 'pinia-pgflow' {
  interface PgflowFlows {
    analyze_text: typeof AnalyzeText
    analyze_csv: typeof AnalyzeCsv
    summarise_text: typeof SummariseText
    plan_route: typeof PlanRoute
    publish_report: typeof PublishReport
  }
}
