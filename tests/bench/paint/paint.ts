import { createServer } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { build, type Rolldown } from 'vite'
import { listen, stop } from '../../../playground/backend/http.ts'
import { createBackend, type Backend } from '../../../playground/backend/index.ts'
import { launchChromium } from '../../browser/support/chromium.ts'
import {
  completeTask,
  createFlow,
  startRun,
  takeTasks,
  type Task,
} from '../../sql/support/flows.ts'
import { noFindings, type Benchmark } from '../benchmark.ts'
import { compare } from '../harness.ts'
import type { Library } from './page.ts'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))
const steps = Array.from({ length: 20 }, (_, index) => ({ slug: `step_${index}` }))

export const benchmark: Benchmark = {
  name: 'paint',
  about:
    `From the commit of a step's end in the database to the painted frame of Chromium that shows ` +
    `it, in a list of ${steps.length} steps, over the embedded backend on the same machine. It ` +
    'delivers at once: what a network, and Realtime, which reads the log of the database, take ' +
    'longer comes on top, for both alike.',
  async run(rounds) {
    const findings = noFindings()
    const backends = {
      'pinia-pgflow': await createBackend({ database: { level: 'full' } }),
      '@pgflow/client': await bootTheirs(),
    }
    const script = await bundle()
    // Chromium lets a page of this machine call this machine, and not one that is only made up.
    const server = createServer((_req, res) => {
      res.setHeader('content-type', 'text/html')
      res.end('<!doctype html><title>Bench</title><link rel="icon" href="data:,"><body></body>')
    })
    const address = await listen(server, 0, '127.0.0.1')
    const browser = await launchChromium()
    try {
      const variants = []
      for (const [library, backend] of Object.entries(backends) as [Library, Backend][]) {
        const flow = await createFlow(backend.db, steps)
        const page = await (await browser.newContext()).newPage()
        page.on('pageerror', (error) => findings.concerns.push(`${library}: ${error.message}`))
        await page.goto(address)
        await load(page, script, backend)
        const stage = { page, backend, flow, library, left: [] }
        variants.push({ name: library, measure: () => measure(stage) })
      }
      findings.comparisons['commit to painted frame'] = await compare(variants, rounds(100), [
        { of: 'pinia-pgflow', to: '@pgflow/client' },
      ])
    } finally {
      await browser.close()
      await Promise.all(Object.values(backends).map((backend) => backend.close()))
      await stop(server)
    }
    return findings
  },
}

/** A page, and the tasks of its run that have not ended yet. */
interface Stage {
  page: Page
  backend: Backend
  flow: string
  library: Library
  left: Task[]
}

/** Ends one step; a new run begins when all of the last one have ended. */
async function measure(stage: Stage): Promise<number> {
  const { page, backend } = stage
  // The last step would end the run.
  if (stage.left.length < 2) stage.left = await nextRun(stage)
  const task = stage.left.pop()
  if (!task) throw new Error('There is no task.')
  const text = `${task.step_slug}: completed "${task.run_id}"`
  const painted = page.evaluate((wanted) => window.paint.paintedAt(wanted), text)
  // At some time between two frames, as in life.
  await wait(50 + Math.random() * 20)
  await completeTask(backend.db, task, task.run_id)
  const committed = performance.timeOrigin + performance.now()
  return (await painted) - committed
}

async function nextRun({ page, backend, flow, library }: Stage): Promise<Task[]> {
  await page.evaluate(() => window.paint.close())
  const runId = await startRun(backend.db, flow)
  const tasks = await takeTasks(backend.db, flow)
  await page.evaluate(([name, id]) => window.paint.show(name, id), [library, runId] as const)
  // What follows a join is over.
  await wait(500)
  return tasks.filter((task) => task.run_id === runId)
}

async function bootTheirs(): Promise<Backend> {
  const backend = await createBackend({
    database: { level: 'pgflow' },
    schemas: ['public', 'pgflow'],
  })
  await backend.db.exec(`
    grant usage on schema pgflow to anon;
    grant execute on function pgflow.get_run_with_states(uuid) to anon;
    grant select on pgflow.runs, pgflow.step_states, pgflow.flows, pgflow.steps to anon;
  `)
  return backend
}

async function load(page: Page, script: string, { url, anonKey }: Backend): Promise<void> {
  await page.evaluate((project) => void (window.project = project), { url, key: anonKey })
  await page.addScriptTag({ content: script })
}

async function bundle(): Promise<string> {
  const built = await build({
    configFile: false,
    root: path('.'),
    logLevel: 'error',
    mode: 'production',
    resolve: { alias: { 'pinia-pgflow': path('../../../src/index.ts') } },
    define: { 'process.env.NODE_ENV': JSON.stringify('production') },
    build: { write: false, lib: { entry: path('page.ts'), formats: ['iife'], name: 'page' } },
  })
  const [result] = built as Rolldown.RolldownOutput[]
  const chunk = result?.output.find((file) => file.type === 'chunk')
  if (!chunk) throw new Error('Nothing was built.')
  return chunk.code
}
