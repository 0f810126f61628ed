import { createPinia, type Pinia } from 'pinia'
import { createRenderer, effectScope, toRaw, type App, type EffectScope } from 'vue'
import type { PgflowError } from '../../src/errors.ts'
import { resolveConfig, type SharedOptions } from '../../src/options.ts'
import { pluginOf } from '../../src/plugin.ts'
import { usePgflowListStore } from '../../src/store/list-store.ts'
import { usePgflowStore } from '../../src/store/pgflow-store.ts'
import type { ListTransport, PgflowTransport } from '../../src/transport/types.ts'
import { keepAlive, type Kept } from './kept.ts'
import type { TestPageActivity } from '../../src/testing/test-page-activity.ts'

interface Node {
  parent: Node | null
}
const node = (): Node => ({ parent: null })

/** Vue needs something to render to; nothing is rendered. */
const { createApp, render } = createRenderer<Node, Node>({
  insert: (child, parent) => void (child.parent = parent),
  remove: () => {},
  createElement: node,
  createText: node,
  createComment: node,
  setText: () => {},
  setElementText: () => {},
  parentNode: ({ parent }) => parent,
  nextSibling: () => null,
  patchProp: () => {},
})

/** What a client is made with. */
export interface ClientParts {
  transport: PgflowTransport & ListTransport
  pageActivity: TestPageActivity
  options: SharedOptions
  /** The state that a server or an earlier page has left, as JSON. */
  state: string | null
  /** Called with warnings and errors of Vue or the app's own handlers. */
  onComplaint: (text: string) => void
}

export type Store = ReturnType<typeof usePgflowStore>

/** An app with the plugin, as a page has it. */
export class Client {
  readonly store: Store
  readonly lists: ReturnType<typeof usePgflowListStore>
  readonly reported: PgflowError[] = []
  readonly #app: App<Node>
  readonly #pinia: Pinia
  readonly #scope: EffectScope
  /** What is kept alive, until it is unmounted. */
  readonly #kept = new Set<Kept<unknown>>()

  constructor({ transport, pageActivity, options, state, onComplaint }: ClientParts) {
    this.#pinia = createPinia()
    if (state !== null) {
      this.#pinia.state.value = JSON.parse(state) as Pinia['state']['value']
    }
    const onError = (error: PgflowError) => void this.reported.push(error)
    const config = resolveConfig({ ...options, onError }, transport, transport)
    this.#app = createApp({ render: () => null })
    this.#app.config.warnHandler = (message) => onComplaint(`Vue warns: ${message}`)
    this.#app.config.errorHandler = (error) => onComplaint(`Vue caught: ${String(error)}`)
    this.#app.use(this.#pinia)
    this.#app.use(pluginOf({ ...config, pageActivity }))
    this.#app.mount(node())
    this.#scope = effectScope(true)
    this.store = this.run(() => usePgflowStore())
    this.lists = this.run(() => usePgflowListStore())
  }

  /** Runs what a component's set-up does. */
  run<T>(work: () => T): T {
    return this.#app.runWithContext(() => {
      const result = this.#scope.run(work)
      if (result === undefined) throw new Error('The scope of the app is over.')
      return result
    })
  }

  /** Runs what a component's set-up does, in a scope of its own. */
  mount<T>(work: () => T): { result: T; scope: EffectScope } {
    return this.run(() => {
      const scope = effectScope(true)
      const result = scope.run(work)
      if (result === undefined) throw new Error('A scope that has just been made is over.')
      return { result, scope }
    })
  }

  /** Mounts what a component's set-up does in a `<KeepAlive>`. */
  keep<T>(work: () => T): Kept<T> {
    const kept = keepAlive(this.#app, render, node(), work)
    const stop = () => {
      this.#kept.delete(held)
      kept.stop()
    }
    const held = { ...kept, stop }
    this.#kept.add(held)
    return held
  }

  /** The state as a server sends it, or a browser stores it. */
  serialise(): string {
    return JSON.stringify(this.#pinia.state.value)
  }

  /** All of the state, without Vue's proxies. */
  get state(): unknown {
    return toRaw(this.#pinia.state.value)
  }

  unmount(): void {
    this.#scope.stop()
    for (const { stop } of this.#kept) stop()
    this.#app.unmount()
  }
}
