import type { App, RootRenderFunction } from 'vue'
import { defineComponent, h, KeepAlive } from 'vue'

/** A component that is kept alive while it is not shown. */
export interface Kept<T> {
  /** What its set-up has returned. */
  result: T
  /** Whether it is shown now. */
  isShown: () => boolean
  show: () => void
  hide: () => void
  /** It is unmounted for good. */
  stop: () => void
}

/** Mounts a component in a `<KeepAlive>` of its own, and shows it. */
export function keepAlive<Node extends object, T>(
  app: App<Node>,
  render: RootRenderFunction<Node>,
  container: Node,
  work: () => T,
): Kept<T> {
  const results: T[] = []
  const component = defineComponent({
    setup() {
      results.push(work())
      return () => null
    },
  })
  let isShown = true
  const draw = () => {
    const vnode = h(KeepAlive, null, () => (isShown ? h(component) : null))
    vnode.appContext = app._context
    render(vnode, container)
  }
  const become = (isNowShown: boolean) => {
    isShown = isNowShown
    draw()
  }
  draw()
  const [result] = results
  if (result === undefined) throw new Error('The component was not set up.')
  return {
    result,
    isShown: () => isShown,
    show: () => become(true),
    hide: () => become(false),
    stop: () => render(null, container),
  }
}
