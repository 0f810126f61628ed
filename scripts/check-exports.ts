import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * Installs the packed package in an empty project, imports every export under Node, and compiles a
 * consumer against its declarations, the registry included.
 */
const root = join(import.meta.dirname, '..')
const project = mkdtempSync(join(tmpdir(), 'pinia-pgflow-consumer-'))
const run = (command: string, args: string[], cwd = project) =>
  execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })

const consumer = `
import { Flow } from '@pgflow/dsl'
import { createClient } from '@supabase/supabase-js'
import { createPgflow, useFlow, useRun } from 'pinia-pgflow'

const AnalyzeText = new Flow<{ text: string }>({ slug: 'analyze_text' }).step(
  { slug: 'count' },
  ({ run }) => run.text.length,
)
declare module 'pinia-pgflow' {
  interface PgflowFlows {
    analyze_text: typeof AnalyzeText
  }
}
createPgflow({ supabase: createClient('http://localhost', 'key') })
const { start, step } = useFlow('analyze_text')
export const count: number | null | undefined = step('count')?.output
void start({ text: 'typed' })
// @ts-expect-error the input is checked
void start({ txt: 'typed' })
// @ts-expect-error the slug is checked
useFlow('analyse_text')
export const run = useRun<typeof AnalyzeText>('id').run.value?.input.text
`

try {
  const packed = run('npm', ['pack', '--json', '--pack-destination', project], root)
  const [{ filename }] = JSON.parse(packed.slice(packed.indexOf('['))) as [{ filename: string }]
  mkdirSync(join(project, 'node_modules/pinia-pgflow'), { recursive: true })
  run('tar', ['-xzf', filename, '--strip-components=1', '-C', 'node_modules/pinia-pgflow'])
  for (const name of ['vue', 'pinia', 'valibot', '@supabase', '@pgflow', '@vue', 'typescript']) {
    symlinkSync(join(root, 'node_modules', name), join(project, 'node_modules', name))
  }
  writeFileSync(join(project, 'package.json'), JSON.stringify({ type: 'module' }))
  writeFileSync(join(project, 'consumer.ts'), consumer)
  const names = run('node', [
    '--input-type=module',
    '--eval',
    'console.log(Object.keys(await import("pinia-pgflow")).sort().join(", "))',
  ])
  for (const resolution of ['bundler', 'nodenext']) {
    const module = resolution === 'bundler' ? 'esnext' : 'nodenext'
    const flags = ['--noEmit', '--strict', '--skipLibCheck', '--target', 'es2022']
    const modules = ['--module', module, '--moduleResolution', resolution]
    run('node', ['node_modules/typescript/bin/tsc', ...flags, ...modules, 'consumer.ts'])
  }
  console.log(`The package resolves under Node and TypeScript; it exports ${names.trim()}`)
} finally {
  rmSync(project, { recursive: true, force: true })
}
