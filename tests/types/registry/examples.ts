/* eslint-disable -- as the examples have it */
// GENERATED from the examples in doc comments by scripts/build-examples.ts: change those, then run
// "npm run examples".

import { AnalyzeText } from '../support/prelude.ts'

// PgflowFlows
declare module 'pinia-pgflow' {
  interface PgflowFlows {
    analyze_text: typeof AnalyzeText
  }
}
