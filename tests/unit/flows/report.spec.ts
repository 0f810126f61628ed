import { createServer, type Server } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { checkLinks } from '../../../playground/flows/report/links.ts'
import { readOutline } from '../../../playground/flows/report/outline.ts'
import { makePage } from '../../../playground/flows/report/page.ts'

describe('readOutline', () => {
  it('finds title, sections and links with their lines', () => {
    const outline = readOutline(
      'Before\n# A title\n\n## One\nSee [this](https://a.example/x) or https://b.example/y.\n## Two',
    )
    expect(outline).toEqual({
      title: 'A title',
      sections: ['One', 'Two'],
      words: 8,
      links: [
        { url: 'https://a.example/x', line: 5 },
        { url: 'https://b.example/y', line: 5 },
      ],
    })
  })

  it('wants a title', () => {
    expect(() => readOutline('## Only a section')).toThrow('The report has no title')
  })
})

describe('checkLinks', () => {
  let server: Server
  let origin: string

  beforeEach(async () => {
    server = createServer((req, res) => {
      res.writeHead(req.url === '/gone' ? 404 : 200).end('hello')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    if (typeof address !== 'object' || !address) throw new Error('no port')
    origin = `http://127.0.0.1:${address.port}`
  })
  afterEach(() => new Promise((resolve) => server.close(resolve)))

  it('opens each link once', async () => {
    const link = { url: `${origin}/here`, line: 1 }
    expect(await checkLinks([link, { ...link, line: 2 }])).toEqual([
      { url: `${origin}/here`, status: 200 },
    ])
  })

  it('names the link that is gone', async () => {
    await expect(checkLinks([{ url: `${origin}/gone`, line: 4 }])).rejects.toThrow(
      `Line 4: ${origin}/gone answers “404 Not Found”.`,
    )
  })

  it('names every link that does not answer, and why', async () => {
    const closed = createServer()
    await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
    const address = closed.address()
    if (typeof address !== 'object' || !address) throw new Error('no port')
    await new Promise((resolve) => closed.close(resolve))
    const dead = `http://127.0.0.1:${address.port}/`
    await expect(
      checkLinks([
        { url: dead, line: 1 },
        { url: `${origin}/gone`, line: 2 },
        { url: origin, line: 3 },
      ]),
    ).rejects.toThrow(
      `2 of 3 links cannot be opened. Line 1: ${dead} refuses the connection. Line 2: ${origin}/gone answers “404 Not Found”.`,
    )
  })
})

describe('makePage', () => {
  const pageOf = (markdown: string) => makePage(markdown, readOutline(markdown), [])

  it('makes headings, paragraphs, lists, links and emphasis', () => {
    const markdown =
      '# Café & more\nIntro\nin two lines.\n\n## List\n- **one**\n- [two](https://two.example/)'
    const page = pageOf(markdown)
    expect(page).toMatchObject({ file: 'cafe-more.html', contents: ['List'] })
    expect(page.html).toContain('<h1>Café &amp; more</h1>\n<p>Intro in two lines.</p>')
    expect(page.html).toContain('<h2>List</h2>\n<ul>\n<li><strong>one</strong></li>')
    expect(page.html).toContain('<li><a href="https://two.example/">two</a></li>')
    expect(page.bytes).toBe(Buffer.byteLength(page.html))
  })

  it('shows markup in the text as text', () => {
    expect(pageOf('# Title\n\n<script>alert(1)</script>').html).toContain(
      '<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>',
    )
  })
})
