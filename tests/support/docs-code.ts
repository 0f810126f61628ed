import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Plugin } from 'vite'
import { readCodeBlocks } from '../../scripts/docs/code-blocks.ts'

/** Where the documents' files would be: beside what they import. */
const folder = fileURLToPath(new URL('../types/docs/', import.meta.url))

/**
 * Lets a test import a file that a document shows: `docs:README.md/src/App.vue`. What is shown is
 * what is tested.
 */
export function docsCode(): Plugin {
  const sources = new Map<string, { document: string; fileName: string }>()
  const idOf = (document: string, fileName: string) => {
    const id = `${folder}${document.replaceAll('/', '-')}/${fileName}`
    sources.set(id, { document, fileName })
    return id
  }
  return {
    name: 'docs-code',
    enforce: 'pre',
    resolveId(source, importer) {
      const [, document, fileName] = /^docs:(.*?\.md)\/(.*)$/.exec(source) ?? []
      if (document !== undefined && fileName !== undefined) return idOf(document, fileName)
      const from = importer === undefined ? undefined : sources.get(importer)
      if (!from || !source.startsWith('./')) return null
      return idOf(from.document, posix.join(posix.dirname(from.fileName), source))
    },
    async load(id) {
      const source = sources.get(id)
      if (!source) return null
      const blocks = await readCodeBlocks(source.document)
      const block = blocks.find(({ fileName }) => fileName === source.fileName)
      if (!block) throw new Error(`${source.document} has no ${source.fileName}.`)
      return block.code
    },
  }
}
