import environment from './dom-environment.ts'

/** The same DOM; components are compiled as for a browser, which is how they are published. */
export default { ...environment, name: 'components', viteEnvironment: 'client' }
