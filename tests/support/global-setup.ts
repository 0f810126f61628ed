import type { TestProject } from 'vitest/node'
import { openDatabase } from '../../playground/backend/database.ts'
import { isPrepared } from '../../playground/backend/prepared.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** The port of a native Postgres for the SQL tests; undefined where they run on PGlite. */
    nativePort: number | undefined
  }
}

/**
 * Prepares the data directory once, so that no two test files migrate the same database. With
 * PGFLOW_TEST_DB=native (or native-15) it starts a native Postgres too, on which the SQL tests then
 * run.
 */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | void> {
  // Every project comes by here, one after the other.
  if (!(await isPrepared())) await (await openDatabase()).close()
  if (!process.env.PGFLOW_TEST_DB?.startsWith('native') || project.name !== 'node') {
    project.provide('nativePort', undefined)
    return
  }
  const { startCluster } = await import('../sql/support/native/cluster.ts')
  const cluster = await startCluster()
  project.provide('nativePort', cluster.port)
  return cluster.stop
}
