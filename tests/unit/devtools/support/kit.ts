import * as kit from '@vue/devtools-kit'
kit.initDevTools()
Object.defineProperty(globalThis, '__VUE_DEVTOOLS_GLOBAL_HOOK__', { configurable: true, value: Reflect.get(window, '__VUE_DEVTOOLS_GLOBAL_HOOK__') })
export { kit }
