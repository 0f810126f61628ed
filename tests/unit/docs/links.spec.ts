import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { anchorsOf, linksOf } from '../../../scripts/docs/anchors.ts'
import { listDocuments } from '../../../scripts/docs/code-blocks.ts'

const root = new URL('../../../', import.meta.url)
const read = (document: string) => readFile(new URL(document, root), 'utf8')
const others = ['CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md']
const documents = [...(await listDocuments()), ...others]

/** What is wrong with a relative link. */
async function faultOf(document: string, target: string): Promise<string | undefined> {
  const [path = '', anchor] = target.split('#')
  const file = path === '' ? new URL(document, root) : new URL(path, new URL(document, root))
  if (!existsSync(fileURLToPath(file))) return `${target}: there is no such file`
  if (anchor === undefined) return undefined
  return anchorsOf(await readFile(file, 'utf8')).has(anchor)
    ? undefined
    : `${target}: no such anchor`
}

describe('a relative link', () => {
  it.each(documents)('of %s leads to a file, and to a heading in it', async (document) => {
    const targets = linksOf(await read(document)).filter((target) => !/^[a-z]+:/.test(target))
    const faults = await Promise.all(targets.map((target) => faultOf(document, target)))
    expect(faults.filter((fault) => fault !== undefined)).toEqual([])
  })

  it('is found wherever it stands, and not in code', () => {
    const text = '![a](b.png) [c](d.md#e) `[f](g)`\n\n```md\n[h](i)\n```\n'
    expect(linksOf(text)).toEqual(['b.png', 'd.md#e'])
  })
})

describe('an anchor', () => {
  it('is made of its heading as GitHub makes it', () => {
    const text = '# Why not @pgflow/client?\n## `seq`\n## `seq`\n## A, B & c_d\n```sh\n# no\n```\n'
    expect([...anchorsOf(text)]).toEqual(['why-not-pgflowclient', 'seq', 'seq-1', 'a-b--c_d'])
  })
})

it('every guide can be reached from the README', async () => {
  const targets = new Set(linksOf(await read('README.md')).map((target) => target.split('#')[0]))
  const guides = documents.filter((document) => document.startsWith('docs/guides/'))
  expect(guides.filter((guide) => !targets.has(guide))).toEqual([])
})
