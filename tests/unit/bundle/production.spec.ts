import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { build, type InlineConfig, type Rolldown } from 'vite'
import { playgroundConfig } from '../../../playground/config.ts'
import { hintOf } from '../../../src/error-hints.ts'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/** What only developers are to see, by where it is. */
const forDevelopers = {
  'the inspector': [
    'Search flows, runs, steps and statuses',
    'Leave its channel and join it again',
  ],
  'the timeline': ['the channel is open again', 'addTimelineLayer'],
  'the package of devtools': ['setupDevToolsPlugin', 'devtools-api', 'devtools-kit'],
  'the tap and the log': ['Devtools join the channel anew', 'droppedOf'],
  recordings: ['pinia-pgflow recording', 'exportedAt'],
  'the trace': ['"silent"', "'silent'", '`silent`', 'trace?.('],
  'hints of errors': (['not_migrated', 'not_installed', 'channel_refused'] as const).map(hintOf),
}

/** An app that imports everything that the library has. */
const wholeApp = `
  import * as pgflow from 'pinia-pgflow'
  import { createPinia } from 'pinia'
  import { createApp } from 'vue'
  const { createPgflow, ...others } = pgflow
  createApp({}).use(createPinia()).use(createPgflow({ supabase: globalThis.supabase, others }))
`

/** An app that starts and shows runs, and uses what more it imports. */
const appWith = (more = '') => `
  import { createPgflow, useFlow, useRun, ${more} } from 'pinia-pgflow'
  createPgflow({ supabase: globalThis.supabase, used: [useFlow, useRun, ${more}] })
`

/** What only some apps use, by what they import for it. */
const optional = {
  flowSchemas: ['could not be checked', 'is not valid: '],
  useRuns: ['list_runs', 'pgflow:user:'],
}

function appConfig(app = wholeApp): InlineConfig {
  return {
    root: path('../../..'),
    resolve: { alias: { 'pinia-pgflow': path('../../../src/index.ts') } },
    plugins: [
      {
        name: 'app',
        resolveId: (id) => (id === 'virtual:app' ? '\0app' : null),
        load: (id) => (id === '\0app' ? app : null),
      },
    ],
    build: {
      rolldownOptions: { input: 'virtual:app', external: ['vue', 'pinia', /^@supabase/, /^@vue/] },
    },
  }
}

/** Builds an app, and returns all that is in it. */
async function bundle(config: InlineConfig, mode: 'production' | 'development') {
  vi.stubEnv('NODE_ENV', mode)
  const built = await build({
    ...config,
    mode,
    configFile: false,
    logLevel: 'error',
    build: { ...config.build, write: false, emptyOutDir: false },
  })
  const { output } = built as Rolldown.RolldownOutput
  const text = output.map((file) => (file.type === 'chunk' ? file.code : '')).join('\n')
  return { names: output.map(({ fileName }) => fileName), text }
}

afterEach(() => vi.unstubAllEnvs())

describe('the bundle of an app', () => {
  it('in production has nothing that is for developers', async () => {
    const { names, text } = await bundle(appConfig(), 'production')
    expect(text).toContain('pgflow_client')
    for (const [what, texts] of Object.entries(forDevelopers)) {
      const found = texts.filter((each) => text.includes(each))
      expect(found, what).toEqual([])
    }
    expect(names.filter((name) => name.includes('devtools'))).toEqual([])
  })

  it('has schemas and lists only if the app imports them', async () => {
    const { text } = await bundle(appConfig(appWith()), 'production')
    expect(text).toContain('get_runs_with_states')
    for (const [name, texts] of Object.entries(optional)) {
      expect(texts.filter((each) => text.includes(each))).toEqual([])
      const more = await bundle(appConfig(appWith(name)), 'production')
      expect(texts.filter((each) => more.text.includes(each))).toEqual(texts)
    }
  })

  it('in development has it, in a chunk that is loaded on demand', async () => {
    const { names, text } = await bundle(appConfig(), 'development')
    for (const [what, texts] of Object.entries(forDevelopers)) {
      const found = texts.filter((each) => text.includes(each))
      expect(found.length, what).toBeGreaterThan(0)
    }
    expect(names.filter((name) => name.includes('devtools'))).toHaveLength(1)
  })
})

describe('the bundle of the playground', () => {
  it('in production has nothing of devtools', async () => {
    const { 'hints of errors': _hints, ...others } = forDevelopers
    const { names, text } = await bundle(playgroundConfig({ paceMs: 0 }), 'production')
    expect(text).toContain('pgflow_client')
    for (const [what, texts] of Object.entries(others)) {
      // The fault panel shows the trace, and names what is in it.
      const found = texts.filter((each) => what !== 'the trace' && text.includes(each))
      expect(found, what).toEqual([])
    }
    expect(text).not.toContain('__VUE_DEVTOOLS_')
    expect(names.filter((name) => name.includes('devtools'))).toEqual([])
  })
})
