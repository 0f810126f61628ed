import { openDatabase } from '../../../playground/backend/database.ts'
import type { Benchmark } from '../benchmark.ts'
import { computed } from '../harness.ts'
import { compareLayers } from './compare-layers.ts'

export const benchmark: Benchmark = {
  name: 'sql',
  about:
    'A run from start to end in the statements of a pgflow worker, on the embedded Postgres. The ' +
    "notification that stands for Realtime's replication is left out everywhere. Times are those of " +
    'the processor.',
  run: (rounds) =>
    compareLayers(
      (level) => openDatabase({ level }),
      (_db, work) => computed(work),
      rounds,
    ),
}
