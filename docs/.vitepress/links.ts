import { posix } from 'node:path'

/** The documents beside docs that are pages of the site, by their file. */
const outside = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md']

/** Where each file is on the site: docs is its root, and README.md its first page. */
export const rewrites = { 'README.md': 'index.md', 'docs/:page*': ':page*' }

/**
 * Where a link of a document leads on the site.
 * @param page - the page it is on, such as `guides/live.md`.
 * @returns null for what is no page there, such as a test.
 */
export function siteLink(page: string, href: string): string | null {
  if (!/^\.{0,2}[\w/.-]+(?:#.*)?$/.test(href) || /^\/|^[a-z]+:/.test(href)) return href
  const [path = '', anchor] = href.split('#')
  if (/\.(?:png|webp)$/.test(path)) return href
  const from = page === 'index.md' ? 'README.md' : outside.includes(page) ? page : `docs/${page}`
  const file = posix.join(posix.dirname(from), path)
  const isPage = outside.includes(file) || (file.startsWith('docs/') && file.endsWith('.md'))
  if (!isPage) return null
  const address = file
    .replace(/^docs\//, '')
    .replace(/^README\.md$/, '')
    .replace(/(?:(?<=^|\/)index)?\.md$/, '')
  return `/${address}${anchor === undefined ? '' : `#${anchor}`}`
}
