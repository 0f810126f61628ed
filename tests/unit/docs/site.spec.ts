import { describe, expect, it } from 'vitest'
import { siteLink } from '../../../docs/.vitepress/links.ts'
import { sections } from '../../../docs/.vitepress/pages.ts'
import { listDocuments } from '../../../scripts/docs/code-blocks.ts'

describe('a link on the site', () => {
  it.each([
    ['index.md', 'docs/guides/live.md', '/guides/live'],
    ['index.md', 'CONTRIBUTING.md', '/CONTRIBUTING'],
    ['guides/live.md', '../errors.md#timeout', '/errors#timeout'],
    ['guides/live.md', 'nuxt.md', '/guides/nuxt'],
    ['performance.md', '../README.md#why', '/#why'],
    ['CONTRIBUTING.md', 'docs/architecture.md', '/architecture'],
    ['api/index.md', 'pinia-pgflow/testing.md', '/api/pinia-pgflow/testing'],
    ['api/pinia-pgflow.md', 'index.md', '/api/'],
  ])('of %s to %s leads to %s', (page, href, target) => {
    expect(siteLink(page, href)).toBe(target)
  })

  it.each(['https://pgflow.dev', '#seq', '/api/', '../screenshots/devtools.webp', 'mailto:a@b.c'])(
    'that leads to no document stays: %s',
    (href) => {
      expect(siteLink('guides/live.md', href)).toBe(href)
    },
  )

  it.each(['../tests/sql/grants.spec.ts', '../LICENSE', '../src/index.ts'])(
    'to what is no page there is none: %s',
    (href) => {
      expect(siteLink('faults.md', href)).toBeNull()
    },
  )
})

it('every document is in the navigation', async () => {
  const links = new Set(sections.flatMap(({ items }) => items.map(({ link }) => link)))
  const pages = (await listDocuments()).map((document) => siteLink('index.md', document))
  expect(pages.filter((page) => page === null || !links.has(page))).toEqual([])
})
