import { Flow } from '@pgflow/dsl'
import { createBackend } from '../../../playground/backend/index.ts'

/**
 * Run as a process of its own: it is asked to stop while a map of many rows runs and many statements
 * wait, and says how much of both was left.
 */
const wide = new Flow<number[]>({ slug: 'wide' }).map({ slug: 'each' }, (row) => row)
const backend = await createBackend({ flows: [wide] })

process.once('SIGTERM', () => void stop())
await backend.db.query(
  `select pgflow.start_flow('wide', (select jsonb_agg(n) from generate_series(1, 2000) as n))`,
)
console.log('started')

async function stop(): Promise<void> {
  const [row] = await backend.db.query<{ count: number }>(
    `select count(*)::int as count from pgflow.step_tasks where status <> 'completed'`,
  )
  const statements = Array.from({ length: 2000 }, () =>
    backend.db.query(`select pgflow.start_flow('wide', '[1]')`),
  )
  const [, ...outcomes] = await Promise.all([
    backend.close(),
    ...statements.map((statement) =>
      statement.then(
        () => 'executed',
        () => 'refused',
      ),
    ),
  ])
  const refused = outcomes.filter((outcome) => outcome === 'refused').length
  console.log(`stopped with ${row?.count ?? 0} left and ${refused} refused`)
}
