import domEnvironment from '../../support/dom-environment.ts'

/** Gives this process a document. To be imported first: Vue looks for one when it is loaded. */
await domEnvironment.setup(globalThis, {})
