import { JSDOM } from 'jsdom'
import type { Environment } from 'vitest/runtime'

/** What Vue and @vue/test-utils need of a browser. */
const names = [
  'document',
  'navigator',
  'Node',
  'Element',
  'HTMLElement',
  'HTMLSelectElement',
  'SVGElement',
  'MathMLElement',
  'ShadowRoot',
  'Text',
  'Comment',
  'DocumentFragment',
  'Event',
  'MouseEvent',
  'KeyboardEvent',
  'InputEvent',
  'CustomEvent',
  'getComputedStyle',
]

/**
 * A DOM in Node's own world. The jsdom environment of Vitest replaces typed arrays, events and URLs
 * too, and then neither the embedded backend nor the crypto of Node takes the other's for its own.
 */
const environment: Environment = {
  name: 'dom',
  viteEnvironment: 'ssr',
  setup(global: Record<string, unknown>) {
    const { window } = new JSDOM('<!doctype html>', {
      url: 'http://localhost/',
      pretendToBeVisual: true,
    })
    const before = new Map<string, PropertyDescriptor | undefined>()
    const define = (name: string, value: unknown) => {
      before.set(name, Object.getOwnPropertyDescriptor(global, name))
      Object.defineProperty(global, name, { value, configurable: true, writable: true })
    }
    define('window', window)
    for (const name of names) if (name in window) define(name, Reflect.get(window, name))
    return {
      teardown() {
        for (const [name, descriptor] of before) {
          if (descriptor) Object.defineProperty(global, name, descriptor)
          else Reflect.deleteProperty(global, name)
        }
        window.close()
      },
    }
  },
}

export default environment
