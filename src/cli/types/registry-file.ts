import type { FlowNames } from './read-flows.ts'

/** How every file begins that this command wrote. */
export const header = '// Written by "npx pinia-pgflow types"'

/** The TypeScript that registers the flows. */
export function registryFile(flows: readonly FlowNames[]): string {
  const entries = flows.map(({ slug, steps }) => `    ${keyOf(slug)}: ${typeOf(steps)}\n`)
  return `${header}: run it again when your flows have changed.
import type { FlowWithSteps } from 'pinia-pgflow'

declare module 'pinia-pgflow' {
  interface PgflowFlows {
${entries.join('')}  }
}
`
}

function typeOf(steps: readonly string[]): string {
  const line = `FlowWithSteps<${steps.map(literal).join(' | ') || 'never'}>`
  if (line.length <= 80) return line
  return `FlowWithSteps<\n${steps.map((slug) => `      | ${literal(slug)}\n`).join('')}    >`
}

function keyOf(slug: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(slug) ? slug : literal(slug)
}

/** A database may hold names that pgflow would not take. */
function literal(text: string): string {
  return /^\w+$/.test(text) ? `'${text}'` : JSON.stringify(text)
}
