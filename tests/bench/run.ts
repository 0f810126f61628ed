import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { Benchmark } from './benchmark.ts'
import { bundle } from './bundle.ts'
import { keep, print } from './report.ts'

/**
 * `npm run bench -- [--only <name>] [--quick]`: measures side by side and prints ratios. A full run
 * also writes results.json; a quick one has too few rounds to be worth keeping.
 */
const { values } = parseArgs({
  options: { only: { type: 'string' }, quick: { type: 'boolean', default: false } },
})

// Vue decides when it is loaded, hence the imports on demand.
process.env.NODE_ENV = 'production'
const benchmarks: Record<string, () => Promise<{ benchmark: Benchmark }>> = {
  sql: () => import('./sql/embedded.ts'),
  'sql-native': () => import('./sql/native.ts'),
  plans: () => import('./plans/plans.ts'),
  apply: () => bundled(new URL('./apply/scale.ts', import.meta.url)),
  'apply-client': () => bundled(new URL('./apply/client.ts', import.meta.url)),
  components: () => import('./components/components.ts'),
  paint: () => import('./paint/paint.ts'),
  start: () => import('./start/start.ts'),
  reconnect: () => import('./reconnect/reconnect.ts'),
  memory: () => bundled(new URL('./memory/memory.ts', import.meta.url)),
  boot: () => import('./boot.ts'),
}

/** A benchmark that renders pages, as an app's bundler would build it. */
async function bundled(module: URL) {
  await import('./apply/document.ts')
  return (await import(await bundle(module))) as { benchmark: Benchmark }
}

const { only, quick } = values
if (only !== undefined && !(only in benchmarks)) {
  console.error(`There is no benchmark ${only}. There are: ${Object.keys(benchmarks).join(', ')}`)
  process.exit(2)
}
const rounds = (full: number) => (quick ? Math.max(3, Math.ceil(full / 5)) : full)
if (only === undefined) {
  // Each in a process of its own: what one leaves behind must not slow the next.
  for (const name of Object.keys(benchmarks)) {
    const child = fork(fileURLToPath(import.meta.url), [...process.argv.slice(2), '--only', name])
    const [code] = (await once(child, 'exit')) as [number | null]
    if (code !== 0) process.exitCode = 1
  }
} else {
  const { benchmark } = (await benchmarks[only]?.()) ?? {}
  if (benchmark) {
    const findings = await benchmark.run(rounds)
    print(benchmark, findings)
    if (!quick) await keep(benchmark, findings)
    // The pages that were measured still hold their connections open.
    process.exit()
  }
}
