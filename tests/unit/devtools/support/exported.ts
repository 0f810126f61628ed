import type { Pinia } from 'pinia'
import { tapOf } from '../../../../src/devtools-tap.ts'
import { recordRun } from '../../../../src/devtools/record-run.ts'

/** What the inspector exports of a run, as somebody who was sent the file reads it. */
export function exported(pinia: Pinia, runId: string): unknown {
  return JSON.parse(JSON.stringify(recordRun(pinia, tapOf(pinia), runId)))
}
