import type { AnyFlow } from '@pgflow/dsl'
import { AnalyzeCsv } from './analyze-csv.ts'
import { AnalyzeText } from './analyze-text.ts'
import { PlanRoute } from './plan-route.ts'
import { PublishReport } from './publish-report.ts'
import { SummariseText } from './summarise-text.ts'

/**
 * The flows of the playground, for the worker. The page itself needs only their types, and texts to
 * try them with: those in `samples/` are for `?raw` imports. What a form needs to know:
 *
 * | flow             | input                 | what is worth watching                                |
 * | ---------------- | --------------------- | ----------------------------------------------------- |
 * | `analyze_text`   | `{ text }`            | three branches side by side                           |
 * | `analyze_csv`    | `{ csv }`             | a map step with a task for every row, at most 500     |
 * | `summarise_text` | `{ text }`            | `weights` fails twice, waits 2 s and 4 s, recovers    |
 * | `plan_route`     | `{ places, seconds }` | takes as long as it is told, 60 s to watch; 90 at most |
 * | `publish_report` | `{ markdown }`        | `check_links` fails for good when a link is dead      |
 *
 * Each takes one text; `seconds` is a number that the form adds. A first sample that succeeds, and one
 * that fails:
 *
 * - `analyze_csv`: `greenhouse.csv` (336 rows, semicolons, decimal commas)
 * - `summarise_text`: `harbour.txt`; `one-line.txt` is too short
 * - `plan_route`: `places.csv` (32 places); `too-few-places.csv`
 * - `publish_report`: `october.md` has no link, so that it succeeds without a network
 *
 * A text that is wrong fails at the first step, at once; what may pass by itself is tried again.
 */
export const flows: readonly AnyFlow[] = [
  AnalyzeText,
  AnalyzeCsv,
  SummariseText,
  PlanRoute,
  PublishReport,
]
