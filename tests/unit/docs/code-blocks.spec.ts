import { describe, expect, it } from 'vitest'
import { findCodeBlocks, listDocuments, readCodeBlocks } from '../../../scripts/docs/code-blocks.ts'

const text = `
<!-- not compiled: it runs on Deno. -->

\`\`\`ts
one()
\`\`\`

1. In a list

   \`\`\`ts
   // src/two.ts
   export const two = 2
   \`\`\`

<!-- the file tests/three.vue -->
\`\`\`vue
<!-- src/Three.vue -->
<template></template>
\`\`\`

\`\`\`sh
npm install
\`\`\`
`

describe('the blocks of code of a document', () => {
  const [first, second, third, ...others] = findCodeBlocks('a.md', text)

  it('are those in TypeScript and Vue, each with its line', () => {
    expect(others).toEqual([])
    expect([first, second, third].map((block) => block?.line)).toEqual([5, 11, 17])
    expect([first, second, third].map((block) => block?.language)).toEqual(['ts', 'ts', 'vue'])
  })

  it('say which file they are, and are read without what they are indented by', () => {
    expect(first?.fileName).toBeNull()
    expect(second).toMatchObject({
      fileName: 'src/two.ts',
      code: '// src/two.ts\nexport const two = 2\n',
    })
    expect(third?.fileName).toBe('src/Three.vue')
  })

  it('say why they are not compiled, or where else they are', () => {
    expect(first).toMatchObject({ reason: 'it runs on Deno.', sameAs: null })
    expect(second).toMatchObject({ reason: null, sameAs: null })
    expect(third).toMatchObject({ reason: null, sameAs: 'tests/three.vue' })
  })
})

it('a fence that is no block for the check would be one that nobody compiles', async () => {
  const fences = /^[ \t]*```+ *(?!sh|sql|toml|json|md|html|text)\w*(?:ts|vue|js|typescript)\b/gm
  const { readFile } = await import('node:fs/promises')
  for (const document of await listDocuments()) {
    const markdown = await readFile(new URL(`../../../${document}`, import.meta.url), 'utf8')
    const found = [...markdown.matchAll(fences)]
    expect([document, (await readCodeBlocks(document)).length]).toEqual([document, found.length])
  }
})
