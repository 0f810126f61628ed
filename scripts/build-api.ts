import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Application, type DeclarationReflection } from 'typedoc'
import type { PluginOptions } from 'typedoc-plugin-markdown'

/** Makes the API reference of the site of the doc comments: docs/api, which is not committed. */
const path = (relative: string) => fileURLToPath(new URL(`../${relative}`, import.meta.url))
const out = path('docs/api')

/** What the pages are called, by the folder of the entry point. */
const names = new Map([
  ['index', 'pinia-pgflow'],
  ['testing', 'pinia-pgflow/testing'],
  ['components', 'pinia-pgflow/components'],
])

const markdown: Partial<PluginOptions> = {
  entryFileName: 'index',
  hidePageHeader: true,
  hideBreadcrumbs: true,
  useCodeBlocks: true,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
}

const app = await Application.bootstrapWithPlugins({
  entryPoints: ['src/index.ts', 'src/testing/index.ts', 'src/components/index.ts'].map(path),
  tsconfig: path('tsconfig.build.json'),
  // `npm run check` has done so.
  skipErrorChecking: true,
  plugin: ['typedoc-plugin-markdown'],
  out,
  // Else a wrong folder would lose all that is in it.
  cleanOutputDir: false,
  name: 'API reference',
  readme: 'none',
  excludeInternal: true,
  excludePrivate: true,
  excludeExternals: true,
  router: 'module',
  disableSources: true,
  logLevel: 'Warn',
  ...markdown,
})
const project = await app.convert()
if (!project) throw new Error('TypeDoc found nothing to document.')
for (const module of project.children ?? []) rename(module)
await rm(out, { recursive: true, force: true })
await app.generateOutputs(project)

function rename(module: DeclarationReflection): void {
  module.name = names.get(module.name) ?? module.name
}
