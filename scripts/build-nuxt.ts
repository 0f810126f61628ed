import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import ts from 'typescript'

/**
 * Nuxt looks for `export default defineNuxtPlugin(…)` in the files of a module, so they are not
 * bundled: each becomes one file of JavaScript, as in its source.
 */
const source = join(import.meta.dirname, '../src/nuxt')
const target = join(import.meta.dirname, '../dist/nuxt')
const names = await readdir(source, { recursive: true })
const files = names.filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
for (const name of files) {
  const file = join(source, name)
  const { outputText, sourceMapText = '' } = ts.transpileModule(await readFile(file, 'utf8'), {
    fileName: basename(file),
    compilerOptions: {
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
      sourceMap: true,
      inlineSources: true,
    },
  })
  const output = join(target, name.replace(/\.ts$/, '.js'))
  await mkdir(dirname(output), { recursive: true })
  await writeFile(output, outputText)
  await writeFile(`${output}.map`, sourceMapText)
}
console.log(`${files.length} files of the Nuxt module`)
