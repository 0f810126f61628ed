import type { CheckedLink } from './links.ts'
import type { Outline } from './outline.ts'

/** A report ready for the web. */
export type Page = {
  file: string
  title: string
  contents: string[]
  checkedLinks: number
  bytes: number
  html: string
}

/** Makes a web page of a report: headings, lists, paragraphs and links. */
export function makePage(markdown: string, outline: Outline, links: readonly CheckedLink[]): Page {
  const title = escapeHtml(outline.title)
  const body = markdown
    .trim()
    .split(/\n\s*\n|\n(?=#)|(?<=^#.*)\n/m)
    .map(blockOf)
    .join('\n')
  const html = `<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>${title}</title>\n${body}\n</html>\n`
  return {
    file: `${fileNameOf(outline.title)}.html`,
    title: outline.title,
    contents: outline.sections,
    checkedLinks: links.length,
    bytes: new TextEncoder().encode(html).length,
    html,
  }
}

function blockOf(block: string): string {
  const heading = /^(#{1,6})\s+(.+)$/.exec(block.trim())
  if (heading?.[1] && heading[2]) {
    const level = heading[1].length
    return `<h${level}>${inline(heading[2])}</h${level}>`
  }
  const lines = block.trim().split(/\r?\n/)
  if (lines.every((line) => /^[-*]\s/.test(line))) {
    const items = lines.map((line) => `<li>${inline(line.slice(2).trim())}</li>`)
    return `<ul>\n${items.join('\n')}\n</ul>`
  }
  return `<p>${inline(lines.join(' '))}</p>`
}

/** Links and emphasis; everything else is text. */
function inline(text: string): string {
  return escapeHtml(text)
    .replace(/\[([^\]]+)\]\((https?:[^)\s]+)\)/g, '<a href="$2">$1</a>')
    .replace(/\*\*([^*]+)\*\*/g, '<strong>$1</strong>')
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return text.replace(/[&<>"]/g, (character) => entities[character] ?? character)
}

function fileNameOf(title: string): string {
  const name = title.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()
  return name.replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '') || 'report'
}
