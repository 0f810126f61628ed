/** See docs-code.ts. */
declare module 'docs:*' {
  import type { Component } from 'vue'

  const component: Component
  export default component
}
