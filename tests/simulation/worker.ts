import { runSeeds } from './run-seeds.ts'

// A process that plays schedules for cli.ts: one core each.

// Errors are made by the thousand, and nobody looks at where.
Error.stackTraceLimit = 3

/** What it is asked to play. */
export interface Batch {
  first: number
  count: number
  /** Rules that are not looked at. */
  ignored: readonly string[]
}

process.on('message', ({ first, count, ignored }: Batch) => {
  void runSeeds(first, count, ignored).then((result) => process.send?.({ first, ...result }))
})
// An unhandled rejection is a fault of the library: it ends the process with a message.
process.on('unhandledRejection', (error) => {
  console.error('A promise was rejected and nobody looked:', error)
  process.exit(1)
})
