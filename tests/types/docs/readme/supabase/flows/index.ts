export { AnalyzeText } from '../../../../support/prelude.ts'
