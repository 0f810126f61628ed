import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createBackend } from '../../playground/backend/index.ts'
import { noFindings, type Benchmark } from './benchmark.ts'
import { compare, timed } from './harness.ts'

export const benchmark: Benchmark = {
  name: 'boot',
  about:
    'Booting the embedded backend: the first time on a machine, when every migration runs and the ' +
    'database is kept, and from then on, when it is restored.',
  async run(rounds) {
    const findings = noFindings()
    const kept = await newFolder()
    const boot = (cacheDir: string) =>
      timed(async () => {
        const backend = await createBackend({ database: { cacheDir } })
        closing = backend.close()
      })
    let closing = Promise.resolve()
    const closed = async (time: number) => {
      await closing
      return time
    }
    try {
      const variants = [
        {
          name: 'first time',
          async measure() {
            const empty = await newFolder()
            const time = await closed(await boot(empty))
            await rm(empty, { recursive: true })
            return time
          },
        },
        { name: 'restored', measure: async () => closed(await boot(kept)) },
      ]
      findings.comparisons.createBackend = await compare(variants, rounds(7), [
        { of: 'restored', to: 'first time' },
      ])
    } finally {
      await rm(kept, { recursive: true })
    }
    return findings
  },
}

function newFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'pinia-pgflow-bench-'))
}
