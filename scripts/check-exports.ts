import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { registryFile } from '../src/cli/types/registry-file.ts'

/**
 * Installs the packed package in an empty project, imports every export under Node, and compiles two
 * consumers against its declarations: one that registers its flows itself, and one with the file that
 * `npx pinia-pgflow types` writes, which has to work without `@pgflow/dsl` too.
 */
const root = join(import.meta.dirname, '..')
const project = mkdtempSync(join(tmpdir(), 'pinia-pgflow-consumer-'))
const run = (command: string, args: string[], cwd = project) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })

function compile(resolution: 'bundler' | 'nodenext', files: string[]): void {
  const module = resolution === 'bundler' ? 'esnext' : 'nodenext'
  const flags = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022']
  const modules = ['--module', module, '--moduleResolution', resolution]
  run('node', ['node_modules/typescript/bin/tsc', ...flags, ...modules, ...files])
}

const consumer = `
import { Flow } from '@pgflow/dsl'
import { createClient } from '@supabase/supabase-js'
import * as v from 'valibot'
import { createPgflow, flowSchemas, useFlow, useRun } from 'pinia-pgflow'
import { RunGraph, RunProgress, RunTimeline } from 'pinia-pgflow/components'
import { createTestPgflow, scriptFlow } from 'pinia-pgflow/testing'
import { h } from 'vue'

const AnalyzeText = new Flow<{ text: string }>({ slug: 'analyze_text' }).step(
  { slug: 'count' },
  ({ run }) => run.text.length,
)
declare module 'pinia-pgflow' {
  interface PgflowFlows {
    analyze_text: typeof AnalyzeText
  }
}
const flows = flowSchemas({ analyze_text: { input: v.object({ text: v.string() }) } })
createPgflow({ supabase: createClient('http://localhost', 'key'), flows })
// @ts-expect-error a schema speaks Standard Schema
flowSchemas({ analyze_text: { input: (value: unknown) => value } })
// @ts-expect-error the flow takes a text
flowSchemas({ analyze_text: { input: v.object({ text: v.number() }) } })
const { start, step } = useFlow('analyze_text')
export const count: number | null | undefined = step('count')?.output
void start({ text: 'typed' })
// @ts-expect-error the input is checked
void start({ txt: 'typed' })
// @ts-expect-error the slug is checked
useFlow('analyse_text')
export const run = useRun<typeof AnalyzeText>('id').run.value?.input.text
const pgflow = createTestPgflow({
  flows: { analyze_text: scriptFlow(AnalyzeText, { count: { output: 7 } }), other: { only: {} } },
})
void pgflow.latestRun<typeof AnalyzeText>().complete('count', 8)
// @ts-expect-error the output is checked
void pgflow.latestRun<typeof AnalyzeText>().complete('count', 'eight')
export const shown = [
  h(RunGraph, { runId: 'id', step: null, direction: 'down' }),
  h(RunTimeline, { runId: 'id', 'onUpdate:step': (step: string | null) => step }),
  h(RunProgress, { runId: null }),
]
// @ts-expect-error the direction is checked
h(RunGraph, { runId: 'id', direction: 'left' })
// @ts-expect-error the step is checked
scriptFlow(AnalyzeText, { counts: {} })
`

/** Flows and steps with odd names. */
const flows = registryFile([
  { slug: 'import_orders', steps: ['read', 'check', 'apply'] },
  { slug: 'odd flow', steps: ['a "quoted" one', "it's\nso", '*/', '${x}'] },
  { slug: 'constructor', steps: ['__proto__'] },
  { slug: 'many', steps: Array.from({ length: 40 }, (_, index) => `step_${index}`) },
])

const withFlowsFile = `
import { useFlow, useRun, type FlowOf, type FlowSlug } from 'pinia-pgflow'

const slug: FlowSlug = 'import_orders'
const { start, step, steps } = useFlow(slug)
void start({ anything: [1, 'two', null] })
export const status = step('check')?.status
for (const each of steps.value) {
  const name: 'read' | 'check' | 'apply' = each.step_slug
  void name
}
// @ts-expect-error there is no such step
step('chek')
// @ts-expect-error there is no such flow
useFlow('import_order')
useRun<FlowOf<'import_orders'>>('id').step('read')
// @ts-expect-error there is no such step
useRun<FlowOf<'import_orders'>>('id').step('reed')
useFlow('odd flow').step('a "quoted" one')
useFlow('constructor').step('__proto__')
`

/** All entries are one module: the store of the one finds the plugin of the other. */
const together = `
const main = await import('pinia-pgflow')
const testing = await import('pinia-pgflow/testing')
const components = await import('pinia-pgflow/components')
const { renderToString } = await import('vue/server-renderer')
const { createPinia } = await import('pinia')
const { createSSRApp, h } = await import('vue')
const pgflow = testing.createTestPgflow({ flows: { f: { only: { output: 1 } } }, autoPlay: true })
const pinia = createPinia()
createSSRApp({}).use(pinia).use(pgflow)
const store = main.usePgflowStore(pinia)
const { run_id } = await store.startFlow('f', {})
await pgflow.settled()
await store.refreshRun(run_id)
if (store.runs[run_id].output.only !== 1) throw new Error('the run was not played')
const refused = await store.startFlow('g', {}).catch((error) => error)
if (!(refused instanceof main.PgflowError)) throw new Error('there are two PgflowErrors')
const page = () => Object.values(components).map((part) => h(part, { runId: run_id }))
const html = await renderToString(createSSRApp({ render: page }).use(pinia).use(pgflow))
for (const part of ['data-step="only"', 'pgflow-timeline', 'aria-valuenow="100"']) {
  if (!html.includes(part)) throw new Error('a component did not render ' + part + ': ' + html)
}
for (const entry of [main, testing, components]) console.log(Object.keys(entry).sort().join(', '))
`

try {
  const packed = run('npm', ['pack', '--json', '--pack-destination', project], root)
  const [{ filename }] = JSON.parse(packed.slice(packed.indexOf('['))) as [{ filename: string }]
  mkdirSync(join(project, 'node_modules/pinia-pgflow'), { recursive: true })
  run('tar', ['-xzf', filename, '--strip-components=1', '-C', 'node_modules/pinia-pgflow'])
  const peers = ['vue', 'pinia', '@supabase', '@pgflow', '@vue']
  for (const name of [...peers, 'valibot', '@standard-schema', 'typescript']) {
    symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name))
  }
  writeFileSync(join(project, 'package.json'), JSON.stringify({ type: 'module' }))
  writeFileSync(join(project, 'consumer.ts'), consumer)
  const names = run('node', ['--input-type=module', '--eval', together])
  compile('bundler', ['consumer.ts'])
  compile('nodenext', ['consumer.ts'])
  writeFileSync(join(project, 'app.ts'), withFlowsFile)
  writeFileSync(join(project, 'pgflow-flows.d.ts'), flows)
  compile('bundler', ['app.ts', 'pgflow-flows.d.ts'])
  rmSync(join(project, 'node_modules/@pgflow'))
  compile('bundler', ['app.ts', 'pgflow-flows.d.ts'])
  console.log(`The package resolves under Node and TypeScript; it exports\n${names.trim()}`)
} finally {
  rmSync(project, { recursive: true, force: true })
}
