import { createClient } from '@supabase/supabase-js'
import { usePgflowStore } from 'pinia-pgflow'
import { WebSocket } from 'ws'
import { mountApp } from '../../../support/app.ts'
import { failureOf } from './hostile.ts'

/** The run that is read. */
export const answeredId = '0f0e0d0c-0b0a-4908-8706-050403020100'

/** What a server answers. */
export interface Answer {
  status: number
  body: string | null
}

/** The unmodified client of a project whose server answers as the test says, and has no Realtime. */
export function connectTo(answer: (path: string) => Answer) {
  const fetch = (input: RequestInfo | URL) => {
    const url = input instanceof Request ? input.url : String(input)
    const { status, body } = answer(new URL(url).pathname)
    const hasBody = ![101, 204, 205, 304].includes(status)
    return Promise.resolve(new Response(hasBody ? body : null, { status }))
  }
  return createClient('http://localhost:1', 'key', {
    global: { fetch },
    auth: { persistSession: false, autoRefreshToken: false, storageKey: crypto.randomUUID() },
    // Typed for browsers; `ws` has what is needed of it.
    realtime: { transport: WebSocket as unknown as typeof globalThis.WebSocket },
  })
}

/** An app that reads and asks for everything once, and what became of it. */
export async function outcomes(
  answer: (path: string) => Answer,
  schema?: 'pgflow' | 'pgflow_client',
) {
  // A start waits for a moment only: what is loaded when it is first called is loaded before.
  if (schema === 'pgflow') await import('../../../../src/transport/plain-rpc.ts')
  const own = schema === undefined ? {} : { schema }
  const options = { ...own, ssr: true, startTimeout: 1, snapshotTimeout: 1_000 }
  const { store, lists, wrapper } = mountApp(connectTo(answer), () => usePgflowStore(), options)
  const failures = await Promise.all([
    failureOf(() => store.refreshRun(answeredId)),
    failureOf(() => lists.fetchRuns()),
    failureOf(() => store.fetchFlow('greet')),
    failureOf(() => store.startFlow('greet', {}, { runId: crypto.randomUUID() })),
  ])
  const state = JSON.parse(JSON.stringify(store.$state)) as typeof store.$state
  wrapper.unmount()
  return { failures, state }
}
