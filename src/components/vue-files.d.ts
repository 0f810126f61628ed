// For tools that do not read components; vue-tsc does, and finds their own types first.
declare module '*.vue' {
  import type { Component } from 'vue'
  const component: Component
  export default component
}
