import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/** A block of code in a Markdown file. */
export interface CodeBlock {
  /** The Markdown file, from the root of the project. */
  document: string
  /** The line of its first line of code, from 1. */
  line: number
  language: 'ts' | 'vue'
  code: string
  /** What its first line says that it is: `// src/main.ts`, `<!-- src/App.vue -->`. */
  fileName: string | null
  /** The file of the project that has the same text, and is compiled where it is. */
  sameAs: string | null
  /** Why it cannot be compiled. */
  reason: string | null
}

const root = new URL('../../', import.meta.url)
const fence = /^([ \t]*)```(ts|vue)[^\n]*\n([^]*?)^\1```/gm
const mark = /<!-- (the file|not compiled:) ((?:(?!-->)[^])*) -->\s*$/
const name = /^(?:\/\/|<!--) ([\w[\]./-]+\.(?:ts|vue))(?: -->)?\n/

/** The documents whose code has to compile, from the root of the project. */
export async function listDocuments(): Promise<string[]> {
  const guides = await readdir(fileURLToPath(new URL('docs/guides/', root)))
  const pages = await readdir(fileURLToPath(new URL('docs/', root)))
  const isMarkdown = (file: string) => file.endsWith('.md')
  return [
    'README.md',
    ...pages.filter(isMarkdown).map((file) => `docs/${file}`),
    ...guides.filter(isMarkdown).map((file) => `docs/guides/${file}`),
  ]
}

/** The TypeScript and Vue in a document, in order. */
export async function readCodeBlocks(document: string): Promise<CodeBlock[]> {
  return findCodeBlocks(document, await readFile(new URL(document, root), 'utf8'))
}

/** The TypeScript and Vue in the text of a document, in order. */
export function findCodeBlocks(document: string, text: string): CodeBlock[] {
  return [...text.matchAll(fence)].map(({ index, 1: indent = '', 2: language, 3: body = '' }) => {
    const code = body.replaceAll(new RegExp(`^${indent}`, 'gm'), '')
    const [, kind, value = ''] = mark.exec(text.slice(0, index)) ?? []
    return {
      document,
      line: text.slice(0, index).split('\n').length + 1,
      language: language === 'vue' ? 'vue' : 'ts',
      code,
      fileName: name.exec(code)?.[1] ?? null,
      sameAs: kind === 'the file' ? value : null,
      reason: kind === 'not compiled:' ? value : null,
    }
  })
}
