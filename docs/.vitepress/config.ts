import { defineConfig, type MarkdownRenderer } from 'vitepress'
import { slugOf } from '../../scripts/docs/anchors.ts'
import { rewrites, siteLink } from './links.ts'
import { sections } from './pages.ts'

/** Links hold on GitHub as they are written; on the site the pages are elsewhere. */
function rewriteLinks(md: MarkdownRenderer): void {
  md.core.ruler.push('site_links', ({ tokens, env }) => {
    const { relativePath } = env as { relativePath: string }
    for (const { children } of tokens) {
      let isDropped = false
      for (const token of children ?? []) {
        const href = token.type === 'link_open' ? token.attrGet('href') : null
        const target = href === null ? null : siteLink(relativePath, href)
        if (target !== null) token.attrSet('href', target)
        else if (href !== null || (isDropped && token.type === 'link_close')) {
          isDropped = href !== null
          token.type = `dropped_${token.type}`
          token.tag = 'span'
          token.attrs = null
        }
      }
    }
  })
}

/** `npm run docs`. The documents are read where they lie: README.md is the first page. */
export default defineConfig({
  title: 'pinia-pgflow',
  description: 'Start pgflow workflows from Vue and watch them live.',
  lang: 'en',
  // Browsers would ask for a file that is not there.
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  srcDir: '..',
  srcExclude: ['{.github,.stryker-tmp,coverage,dist,playground,scripts,src,supabase,tests}/**'],
  rewrites,
  cleanUrls: true,
  // The configuration of the project is for the library and its tests.
  vite: { configFile: false },
  markdown: { anchor: { slugify: slugOf }, config: rewriteLinks },
  themeConfig: {
    nav: [
      { text: 'Guide', link: '/guides/getting-started' },
      { text: 'API', link: '/api/' },
      { text: 'Errors', link: '/errors' },
    ],
    sidebar: sections,
    outline: [2, 3],
    search: { provider: 'local' },
  },
})
