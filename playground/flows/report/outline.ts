import { wordsOf } from '../text/words.ts'

/** A link in a report, with the line it is on. */
export type ReportLink = {
  url: string
  line: number
}

/** What a report written in Markdown consists of. */
export type Outline = {
  title: string
  sections: string[]
  words: number
  links: ReportLink[]
}

/**
 * Reads the title, the sections and the web links of a report.
 * @throws Error when it has no title.
 */
export function readOutline(markdown: string): Outline {
  const lines = markdown.split(/\r\n|\r|\n/)
  const title = lines.map((line) => /^#\s+(.+)/.exec(line)?.[1]?.trim()).find(Boolean)
  if (!title) throw new Error('The report has no title: begin a line with “# ” and the title.')
  return {
    title,
    sections: lines.flatMap((line) => /^##\s+(.+)/.exec(line)?.[1]?.trim() ?? []),
    words: wordsOf(markdown.replace(/https?:\/\/[^\s)]+/g, '')).length,
    links: lines.flatMap((text, index) =>
      [...text.matchAll(/https?:\/\/[^\s<>()[\]"'`]+/g)].map(([url]) => ({
        url: url.replace(/[.,;:!?]+$/, ''),
        line: index + 1,
      })),
    ),
  }
}
