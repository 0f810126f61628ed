import october from '../../flows/samples/october.md?raw'
import { counted } from '../labels/format.ts'
import { checkLength, defineCard } from './define.ts'
import deadLink from './samples/dead-link.md?raw'
import untitled from './samples/untitled.md?raw'

export const publishReport = defineCard({
  slug: 'publish_report',
  title: 'Publish a report',
  about: 'Makes a web page of it, if none of its links is dead.',
  field: { label: 'Markdown', hint: 'Needs a title: a line that begins with “# ”.', isCode: true },
  samples: [
    { label: 'A report', text: october },
    { label: 'With a dead link', text: deadLink },
    { label: 'Without a title', text: untitled },
  ],
  steps: {
    outline: {
      title: 'Outline',
      about: 'Finds the title, the sections and the links.',
      inShort: ({ title, links }) => `“${title}”, ${counted(links.length, 'link')}`,
      keys: ['title', 'sections', 'words', 'links', 'line', 'url'],
    },
    check_links: {
      title: 'Check links',
      about: 'Opens every link; if one does not answer, once more after a pause.',
      inShort: ({ links }) => `${counted(links.length, 'link')} opened`,
      keys: ['url', 'status'],
    },
    page: {
      title: 'Page',
      about: 'Makes the web page.',
      inShort: ({ file, bytes }) => `${file}, ${counted(bytes, 'byte')}`,
      keys: ['title', 'file', 'bytes', 'checkedLinks', 'contents', 'html'],
    },
  },
  check: (text) => checkLength(text, 'Type or paste a report first.'),
  toInput: (markdown) => ({ markdown }),
})
