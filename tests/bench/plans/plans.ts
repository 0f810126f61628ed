import { openNative } from '../../sql/support/native/session.ts'
import { startCluster } from '../../sql/support/native/cluster.ts'
import { noFindings, type Benchmark, type Findings } from '../benchmark.ts'
import { ExplainingSession, outline, type Executed } from './explain.ts'
import { fill, runs } from './fill.ts'
import { operations } from './operations.ts'

/** Tables that grow with the runs: whoever reads one from end to end gets slower every day. */
const growing = ['runs', 'step_states', 'step_tasks', 'run_seq', 'run_owners']

export const benchmark: Benchmark = {
  name: 'plans',
  about:
    `The plans of every statement behind the RPCs and the triggers at ${runs} runs (inserted, not ` +
    'run), in both visibilities, each often enough for a generic plan. None may read a table that ' +
    'grows with the runs from end to end.',
  async run() {
    const findings = noFindings()
    const { port, stop } = await startCluster()
    try {
      const keeper = await openNative(port, 'full')
      const [database] = await keeper.query<{ name: string }>('select current_database() as name')
      for (const visibility of ['public', 'private'] as const) {
        const session = await ExplainingSession.open(port, database?.name ?? '')
        if (visibility === 'public') await fill(session)
        await session.query('select pgflow_realtime.set_visibility($1)', [visibility])
        await examine(session, visibility, findings)
        await session.close()
      }
      await keeper.close()
    } finally {
      await stop()
    }
    return findings
  },
}

async function examine(
  session: ExplainingSession,
  visibility: string,
  findings: Findings,
): Promise<void> {
  for (const { name, run, times = 7 } of operations) {
    const executed = await session.explain(async () => {
      for (let turn = 0; turn < times; turn += 1) await run(session, turn)
    })
    const title = `${visibility}, ${name}`
    const concerns = concernsOf(executed)
    findings.facts[title] = `${executed.length} statements, ${concerns.size} with a full scan`
    for (const [place, { query, plan }] of concerns) {
      findings.concerns.push(`${title}: ${place}\n${query.trim()}\n${outline(plan)}`)
    }
  }
}

/** One example for each place that reads a growing table from end to end. */
function concernsOf(executed: readonly Executed[]): Map<string, Executed> {
  const found = new Map<string, Executed>()
  for (const statement of executed) {
    const tables = statement.scans.filter(({ table }) => growing.includes(table))
    const names = [...new Set(tables.map(({ table }) => table))].join(', ')
    const place = `full scan of ${names} in ${statement.where || 'the statement itself'}`
    if (tables.length > 0 && !found.has(place)) found.set(place, statement)
  }
  return found
}
