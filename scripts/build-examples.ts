import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import ts from 'typescript'
import { declaredNames, findFreeNames, splitImports } from './examples/code.ts'
import { readEntries } from './examples/entry-points.ts'
import { documentedOf, examplesOf, exportsOf } from './examples/public-api.ts'

/**
 * Makes type tests of the examples in the doc comments, so that one that does not compile fails the
 * tests. Fails where something that can be called has no example.
 */
const path = (relative: string) => fileURLToPath(new URL(`../${relative}`, import.meta.url))
const prelude = path('tests/types/support/prelude.ts')
const calls = path('tests/types/examples.spec-d.ts')
/** What they declare holds for every file beside them, so they have a project of their own. */
const augmentations = path('tests/types/registry/examples.ts')

interface Example {
  name: string
  code: string
}

/** What is used in templates and in Nuxt's configuration: their guides have the examples. */
const withoutExamples = ['pinia-pgflow/components', 'pinia-pgflow/nuxt']

function readCompilerOptions(): ts.CompilerOptions {
  const { config } = ts.readConfigFile(path('tsconfig.json'), (file) => ts.sys.readFile(file)) as {
    config: unknown
  }
  return ts.parseJsonConfigFileContent(config, ts.sys, path('.')).options
}

/** Every example, which names there are to import and from where, and what has no example. */
function readSources(program: ts.Program, entries: readonly [string, string][]) {
  const checker = program.getTypeChecker()
  const modules = new Map<string, string>()
  for (const { name } of exportsOf(program, prelude)) modules.set(name, './support/prelude.ts')
  const examples: Example[] = []
  const missing: string[] = []
  for (const [module, file] of entries) {
    for (const exported of exportsOf(program, file)) {
      modules.set(exported.name, module)
      for (const documented of documentedOf(checker, exported)) {
        const { name } = documented
        const found = examplesOf(checker, documented)
        if (documented.isRequired && found.length === 0) missing.push(name)
        for (const code of found) examples.push({ name, code })
      }
    }
  }
  return { examples, modules, missing }
}

/** The imports that the examples need, with those that they write out themselves. */
function importsOf(
  examples: readonly Example[],
  modules: ReadonlyMap<string, string>,
  options: ts.CompilerOptions,
): string[] {
  const names = new Set(
    findFreeNames(
      examples.map(({ code }) => code),
      options,
    ).flat(),
  )
  const byModule = new Map<string, string[]>()
  for (const name of [...names].sort()) {
    const module = modules.get(name)
    if (module) byModule.set(module, [...(byModule.get(module) ?? []), name])
  }
  const needed = [...byModule].map(
    ([module, list]) => `import { ${list.join(', ')} } from '${module}'`,
  )
  const own = examples.flatMap(({ code }) => splitImports(code).imports)
  return [...new Set([...needed, ...own])]
}

function testOf({ name, code }: Example): string {
  const { body } = splitImports(code)
  const declared = declaredNames(body)
  const use = declared.length > 0 ? `void [${declared.join(', ')}]` : ''
  const isAsync = /\bawait\b/.test(body) ? 'async ' : ''
  return `it('${name}', ${isAsync}() => {\n${body}\n${use}\n})\n`
}

async function buildFile(file: string, parts: readonly string[]): Promise<string> {
  const header = `/* eslint-disable -- as the examples have it */
// GENERATED from the examples in doc comments by scripts/build-examples.ts: change those, then run
// "npm run examples".
`
  return format([header, ...parts].join('\n'), { ...(await resolveConfig(file)), filepath: file })
}

const options = readCompilerOptions()
const entries = (await readEntries()).filter(([module]) => !withoutExamples.includes(module))
const program = ts.createProgram([prelude, ...entries.map(([, file]) => file)], options)
const { examples, modules, missing } = readSources(program, entries)
for (const name of missing) console.error(`${name} has no @example in its doc comment.`)
if (missing.length > 0) process.exitCode = 1

const isAugmentation = ({ code }: Example) => code.includes('declare module')
const tests = examples.filter((example) => !isAugmentation(example))
const declarations = examples.filter(isAugmentation)
const aliased = new Map([...modules].map(([name, module]) => [name, module.replace(/^\./, '..')]))
const built: [string, string][] = [
  [
    calls,
    await buildFile(calls, [
      `import { it } from 'vitest'`,
      ...importsOf(tests, modules, options),
      '',
      ...tests.map(testOf),
    ]),
  ],
  [
    augmentations,
    await buildFile(augmentations, [
      ...importsOf(declarations, aliased, options),
      '',
      ...declarations.map(({ name, code }) => `// ${name}\n${splitImports(code).body}`),
    ]),
  ],
]

for (const [file, text] of built) {
  if (!process.argv.includes('--check')) await writeFile(file, text)
  else if ((await readFile(file, 'utf8').catch(() => undefined)) !== text) {
    console.error(`${file} is not what the examples make. Run "npm run examples" and commit it.`)
    process.exitCode = 1
  }
}
