import { checkLength, defineCard } from './define.ts'
import deadLink from './samples/dead-link.md?raw'
import untitled from './samples/untitled.md?raw'

export const publishReport = defineCard({
  slug: 'publish_report',
  title: 'Publish a report',
  about: 'Opens every link of a report before making a web page of it. A dead link is tried twice.',
  field: { label: 'Markdown', hint: 'Needs a title: a line that begins with “# ”.', isCode: true },
  samples: [
    { label: 'With a dead link', text: deadLink },
    { label: 'Without a title', text: untitled },
  ],
  steps: {
    outline: { title: 'Outline', about: 'Finds the title, the sections and the links.' },
    check_links: { title: 'Check links', about: 'Opens every link; a second try after a pause.' },
    page: { title: 'Page', about: 'Makes the web page.' },
  },
  check: (text) => checkLength(text, 'Type or paste a report first.'),
  toInput: (markdown) => ({ markdown }),
})
