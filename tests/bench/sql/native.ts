import { readFile } from 'node:fs/promises'
import { startCluster } from '../../sql/support/native/cluster.ts'
import { openNative } from '../../sql/support/native/session.ts'
import type { Benchmark } from '../benchmark.ts'
import { timed } from '../harness.ts'
import { compareLayers, type Subject } from './compare-layers.ts'

export const benchmark: Benchmark = {
  name: 'sql-native',
  about:
    'The same as sql on a native Postgres 18 (fsync and jit off), one session over loopback for ' +
    'each database. Times are those of the processor for the session, where the system tells them.',
  async run(rounds) {
    const { port, stop } = await startCluster()
    try {
      return await compareLayers((level) => openNative(port, level), computedBySession, rounds)
    } finally {
      await stop()
    }
  },
}

/** How long the process of the session computes for `work`, in ms. */
async function computedBySession(db: Subject, work: () => Promise<void>): Promise<number> {
  const [session] = await db.query<{ pid: number }>('select pg_backend_pid() as pid')
  const before = await computedBy(session?.pid)
  const time = await timed(work)
  const after = await computedBy(session?.pid)
  return before === undefined || after === undefined ? time : after - before
}

/** How long a process has computed so far, in ms; undefined where only Linux would know. */
async function computedBy(pid: number | undefined): Promise<number | undefined> {
  const text = await readFile(`/proc/${pid ?? 0}/schedstat`, 'utf8').catch(() => undefined)
  return text === undefined ? undefined : Number(text.split(' ')[0]) / 1e6
}
