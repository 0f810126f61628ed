import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { listDocuments, readCodeBlocks, type CodeBlock } from './docs/code-blocks.ts'
import { createVirtualCompiler } from './docs/virtual-program.ts'
import { findFreeNames } from './examples/code.ts'
import { readEntries } from './examples/entry-points.ts'
import { exportsOf } from './examples/public-api.ts'

/**
 * Compiles the TypeScript and Vue of README.md and docs. A block is a file of its own, in a folder
 * for each document: tests/types/docs/<document>. What it imports from there is another block of the
 * document that names its file in its first line, or a file that is there. A block of TypeScript
 * without a name is a piece of a program: whatever it does not declare is imported, from the
 * `given.ts` of its document, the prelude of all examples, or the package.
 */
const path = (relative: string) => fileURLToPath(new URL(`../${relative}`, import.meta.url))
const prelude = path('tests/types/support/prelude.ts')
/** What every app has: the declarations of Vite, and pinia-pgflow, which it imports somewhere. */
const surroundings = [path('tests/types/docs/env.d.ts'), path('src/index.ts')]
/** In a piece of a program, nobody uses what it declares. */
const unused = new Set([6133, 6192, 6196, 6198, 6199])

const folderOf = (document: string) =>
  path(`tests/types/docs/${document.replace(/^.*\//, '').replace('.md', '').toLowerCase()}`)
const fileOf = ({ document, fileName, line, language }: CodeBlock) =>
  `${folderOf(document)}/${fileName ?? `line-${line}.${language}`}`

const compiler = createVirtualCompiler(path('tests/types/docs/tsconfig.json'))
const blocks = (await Promise.all((await listDocuments()).map(readCodeBlocks))).flat()
const compiled = blocks.filter(({ sameAs, reason }) => sameAs === null && reason === null)
const importsBefore = await importsOfPieces(compiled)
const files = new Map(compiled.map((block) => [fileOf(block), block]))
if (files.size < compiled.length) throw new Error('Two blocks of a document have one file name.')

/** The imports for each piece of a program. All are in its first line, so that lines stay. */
async function importsOfPieces(all: readonly CodeBlock[]): Promise<Map<CodeBlock, string>> {
  const pieces = all.filter(({ language, fileName }) => language === 'ts' && fileName === null)
  const given = new Map(
    pieces
      .map(({ document }) => `${folderOf(document)}/given.ts`)
      .filter((file) => existsSync(file))
      .map((file) => [file, file]),
  )
  const entries = await readEntries()
  const sources = [...entries.map(([, file]) => file), prelude, ...given.keys()]
  const program = ts.createProgram(sources, compiler.options)
  const namesIn = (file: string, module: string) =>
    exportsOf(program, file).map((symbol): [string, string] => [symbol.name, module])
  const common = [
    ...entries.flatMap(([module, file]) => namesIn(file, module)),
    ...namesIn(prelude, '../../support/prelude.ts'),
  ]
  const own = new Map([...given.keys()].map((file) => [file, namesIn(file, './given.ts')]))
  const free = findFreeNames(
    pieces.map(({ code }) => code),
    compiler.options,
  )
  return new Map(
    pieces.map((block, index) => {
      const names = own.get(`${folderOf(block.document)}/given.ts`) ?? []
      const modules = new Map([...common, ...names])
      const imports = [...new Set(free[index])].flatMap((name) => {
        const module = modules.get(name)
        return module ? [`import { ${name} } from '${module}'`] : []
      })
      return [block, `${imports.join(';')};`]
    }),
  )
}

/** Whoever registers flows does so for all that is compiled with it. */
function programsOf(all: readonly CodeBlock[]): CodeBlock[][] {
  const registers = ({ code }: CodeBlock) => code.includes('declare module')
  const alone = new Set(all.filter(registers).map(({ document }) => document))
  return [
    all.filter(({ document }) => !alone.has(document)),
    ...[...alone].map((document) => all.filter((block) => block.document === document)),
  ]
}

const textOf = (block: CodeBlock) => {
  const before = importsBefore.get(block)
  return before === undefined ? block.code : `${before}${block.code}\nexport {}\n`
}

function report({ document, line }: CodeBlock, message: string): void {
  console.error(`${document}:${line}: ${message}`)
  process.exitCode = 1
}

for (const program of programsOf(compiled)) {
  const texts = new Map(program.map((block) => [fileOf(block), textOf(block)]))
  for (const { file, start = 0, code, messageText } of compiler.check(texts, surroundings)) {
    const block = file && files.get(file.fileName)
    if (!block || (importsBefore.has(block) && unused.has(code))) continue
    const { line } = file.getLineAndCharacterOfPosition(start)
    const text = ts.flattenDiagnosticMessageText(messageText, '\n  ')
    report({ ...block, line: block.line + line }, `TS${code}: ${text}`)
  }
}

for (const block of blocks) {
  if (block.sameAs === null) continue
  const text = await readFile(path(block.sameAs), 'utf8').catch(() => null)
  const code = block.code.replace(/^\/\/ [\w[\]./-]+\.ts\n/, '')
  if (text !== code) report(block, `${block.sameAs} has another text.`)
}
console.log(`${compiled.length} of ${blocks.length} blocks of code compiled.`)
