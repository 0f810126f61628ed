import type { Environment } from 'vitest/runtime'
import dom from '../support/dom-environment.ts'

let isThere = false

/** The DOM of the other tests, made once a thread: Vue holds on to the first document it sees. */
const environment: Environment = {
  ...dom,
  async setup(global, options) {
    if (!isThere) await dom.setup(global, options)
    isThere = true
    return { teardown: () => undefined }
  },
}

export default environment
