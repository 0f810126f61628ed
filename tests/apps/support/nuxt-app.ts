import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { run, serve, type ServerProcess } from './command.ts'

const nuxt = 'node_modules/nuxt/bin/nuxt.mjs'

/** Builds the app for production: with `@nuxtjs/supabase`, or with the client that it makes itself. */
export async function buildNuxt(app: string, client: 'module' | 'own'): Promise<void> {
  const env = {
    OWN_CLIENT: String(client === 'own'),
    // The cookie is named after the host of the project.
    NUXT_PUBLIC_SUPABASE_URL: 'http://127.0.0.1:1',
    NUXT_PUBLIC_SUPABASE_KEY: 'at run time',
  }
  await run([process.execPath, nuxt, 'build'], app, env)
  await rm(join(app, `built-${client}`), { recursive: true, force: true })
  await cp(join(app, '.output'), join(app, `built-${client}`), { recursive: true })
}

/** Runs what was built, against a project. */
export function serveNuxt(
  app: string,
  client: 'module' | 'own',
  project: { url: string; key: string; isPrivate?: boolean },
): Promise<ServerProcess> {
  return serve([process.execPath, `built-${client}/server/index.mjs`], app, {
    NUXT_PUBLIC_SUPABASE_URL: project.url,
    NUXT_PUBLIC_SUPABASE_KEY: project.key,
    NUXT_PUBLIC_PGFLOW_PRIVATE: String(project.isPrivate ?? false),
  })
}

/**
 * Compiles the app, and the sources of the module against the types of the real Nuxt, which the
 * project itself does not have.
 */
export async function checkNuxtTypes(app: string): Promise<void> {
  const source = join(import.meta.dirname, '../../../src/nuxt')
  const target = join(app, 'app/check')
  for (const name of await readdir(source, { recursive: true })) {
    if (!name.endsWith('.ts') || name.endsWith('.d.ts')) continue
    const file = join(target, 'nuxt', name)
    await mkdir(dirname(file), { recursive: true })
    // Nuxt's configuration for the files of modules does not take the endings.
    const text = await readFile(join(source, name), 'utf8')
    await writeFile(file, text.replaceAll(/from '(\.[^']*)\.ts'/g, "from '$1'"))
  }
  const shim = "export type { PgflowOptions } from 'pinia-pgflow'\n"
  await writeFile(join(target, 'options.ts'), shim)
  await run([process.execPath, nuxt, 'typecheck'], app)
  await rm(target, { recursive: true })
}

/** Compiles with what the package declares, which this app can do only without `@pgflow/dsl`. */
export async function checkWithoutDsl(app: string): Promise<void> {
  const code = `
    import { createPgflow, useFlow, useRun, useRuns, usePgflowStore } from 'pinia-pgflow'
    import { RunGraph } from 'pinia-pgflow/components'
    import { createTestPgflow } from 'pinia-pgflow/testing'
    const { start } = useFlow('greet')
    void start({ name: 'Ada' })
    const flows = { greet: { hello: { output: 'Hello' } } }
    export const used = [createPgflow, useRun('id'), useRuns({ flow: 'greet' }), usePgflowStore()]
    export const shown = [RunGraph, createTestPgflow({ flows })]
    // @ts-expect-error a run has no such field
    export const typed = useRun('id').run.value?.state
  `
  const folder = join(app, 'without-dsl')
  await mkdir(folder)
  await writeFile(join(folder, 'main.ts'), code)
  const flags = ['--noEmit', '--strict', '--skipLibCheck', 'false', '--types', 'node']
  const target = ['--target', 'es2022', '--module', 'nodenext', '--lib', 'es2022,dom,dom.iterable']
  const compiler = [process.execPath, 'node_modules/typescript/bin/tsc'] as const
  await run([...compiler, ...flags, ...target, 'without-dsl/main.ts'], app)
  await rm(folder, { recursive: true })
}

/** What loading the app's configuration with these modules fails with. */
export async function failureWith(app: string, modules: readonly string[]): Promise<string> {
  const load = `
    import { loadNuxt } from 'nuxt/kit'
    const nuxt = await loadNuxt({ cwd: process.cwd() }).catch((error) => error)
    console.log(nuxt instanceof Error ? nuxt.message : 'loaded')
    process.exit(0)
  `
  return run([process.execPath, '--input-type=module', '--eval', load], app, {
    MODULES: modules.join(),
  })
}
