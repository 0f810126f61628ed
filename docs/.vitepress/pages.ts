/** A page of the site: its title in the navigation and its address. */
export interface Page {
  text: string
  link: string
}

/** The navigation, in the order in which a newcomer reads. */
export const sections: { text: string; items: Page[] }[] = [
  {
    text: 'Begin',
    items: [
      { text: 'What it is', link: '/' },
      { text: 'Getting started', link: '/guides/getting-started' },
      { text: 'Install, upgrade, uninstall, doctor', link: '/guides/install' },
      { text: 'Writing flows', link: '/guides/writing-flows' },
      { text: 'Migrating from @pgflow/client', link: '/guides/migrating' },
    ],
  },
  {
    text: 'Build',
    items: [
      { text: 'Starting runs', link: '/guides/starting-runs' },
      { text: 'Showing runs', link: '/guides/showing-runs' },
      { text: 'Components', link: '/guides/components' },
      { text: 'Hooks', link: '/guides/hooks' },
      { text: 'Schemas', link: '/guides/schemas' },
      { text: 'Nuxt', link: '/guides/nuxt' },
      { text: 'Testing', link: '/guides/testing' },
      { text: 'Vue devtools', link: '/guides/devtools' },
    ],
  },
  {
    text: 'Run',
    items: [
      { text: 'Production', link: '/guides/production' },
      { text: 'Private runs', link: '/guides/private-runs' },
      { text: 'Live', link: '/guides/live' },
      { text: 'Plain pgflow', link: '/guides/plain-pgflow' },
    ],
  },
  {
    text: 'Look up',
    items: [
      { text: 'Options', link: '/guides/options' },
      { text: 'Errors', link: '/errors' },
      { text: 'API', link: '/api/' },
      { text: 'Performance', link: '/performance' },
      { text: 'Changelog', link: '/CHANGELOG' },
    ],
  },
  {
    text: 'Work on it',
    items: [
      { text: 'Contributing', link: '/CONTRIBUTING' },
      { text: 'Architecture', link: '/architecture' },
      { text: 'Broadcast contract', link: '/broadcast-contract' },
      { text: 'Faults that others have met', link: '/faults' },
      { text: 'Security', link: '/SECURITY' },
    ],
  },
]
