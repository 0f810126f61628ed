import { toRaw } from 'vue'
import { stepKey, type RunConnection } from '../../src/model/entities.ts'
import type { Store } from './client.ts'
import type { Projection, Row } from './projection.ts'

/** What a store shows, read without Vue's proxies: looking through those at every step is slow. */
export class Shown {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  get runIds(): string[] {
    return Object.keys(toRaw(this.#store.runs))
  }

  run(runId: string): Row | undefined {
    return rowOf(toRaw(this.#store.runs), runId)
  }

  step(runId: string, slug: string): Row | undefined {
    return rowOf(toRaw(this.#store.steps), stepKey(runId, slug))
  }

  connection(runId: string): RunConnection | undefined {
    return toRaw(toRaw(this.#store.connections)[runId])
  }

  /** All that is shown of a run; undefined if nothing is. */
  state(runId: string): Projection | undefined {
    const run = this.run(runId)
    if (!run) return undefined
    const steps = new Map<string, Row>()
    for (const slug of toRaw(toRaw(this.#store.stepOrder)[runId]) ?? []) {
      const step = this.step(runId, slug)
      if (step) steps.set(slug, step)
    }
    return { run, steps }
  }

  /** In one line, for people. */
  text(runId: string): string {
    const state = this.state(runId)
    const { status = 'unknown', seq = null, error = null } = this.connection(runId) ?? {}
    if (!state) return `nothing (${status}${error ? ` ${error.code}` : ''})`
    const steps = [...state.steps].map(([slug, step]) => `${slug}=${String(step.status)}`)
    const said = `${status}${error ? ` ${error.code}` : ''} at ${seq ?? 'no seq'}`
    return `${String(state.run.status)} [${steps.join(' ')}] ${said}`
  }
}

function rowOf(table: Readonly<Record<string, object>>, key: string): Row | undefined {
  const row = Object.hasOwn(table, key) ? toRaw(table[key]) : undefined
  return row as Row | undefined
}
