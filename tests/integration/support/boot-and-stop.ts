import { Flow } from '@pgflow/dsl'
import { createBackend } from '../../../playground/backend/index.ts'

/**
 * Run as a process of its own: it is asked to stop while a map of many rows runs, and says how much
 * of it was left.
 */
const wide = new Flow<number[]>({ slug: 'wide' }).map({ slug: 'each' }, (row) => row)
const backend = await createBackend({ flows: [wide] })

process.once('SIGTERM', () => {
  const left = backend.db.query<{ count: number }>(
    `select count(*)::int as count from pgflow.step_tasks where status <> 'completed'`,
  )
  void Promise.all([left, backend.close()]).then(([[row]]) => {
    console.log(`stopped with ${row?.count ?? 0} left`)
  })
})
await backend.db.query(
  `select pgflow.start_flow('wide', (select jsonb_agg(n) from generate_series(1, 2000) as n))`,
)
console.log('started')
