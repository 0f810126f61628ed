import type { AnyFlow } from '@pgflow/dsl'
import { createClient } from '@supabase/supabase-js'
import { vi } from 'vitest'
import { WebSocket } from 'ws'
import { createBackend, type Backend, type BackendOptions } from '../../playground/backend/index.ts'

/** Boots the embedded backend with waits short enough for tests. */
export function bootBackend(
  flows: readonly AnyFlow[],
  options: Partial<BackendOptions> = {},
): Promise<Backend> {
  return createBackend({
    flows,
    realtime: { joinErrorDelayMs: 50, handshakeErrorDelayMs: 50 },
    ...options,
  })
}

/** The unmodified client; a lost socket comes back after 20 ms instead of a second. */
export function connect(
  backend: Pick<Backend, 'url' | 'anonKey'>,
  fetch: typeof globalThis.fetch = globalThis.fetch,
  realtime: { vsn?: string } = {},
) {
  return createClient(backend.url, backend.anonKey, {
    global: { fetch },
    auth: { persistSession: false, autoRefreshToken: false, storageKey: crypto.randomUUID() },
    realtime: {
      // Typed for browsers; `ws` has what is needed of it.
      transport: WebSocket as unknown as typeof globalThis.WebSocket,
      reconnectAfterMs: () => 20,
      ...realtime,
    },
  })
}

/** A gate that a handler waits at until the test opens it. */
export interface Gate {
  wait(): Promise<void>
  open(): void
  /** Resolves when somebody waits. */
  reached: Promise<void>
}

/** A closed gate. */
export function createGate(): Gate {
  let open = () => {}
  let arrive = () => {}
  const opened = new Promise<void>((resolve) => (open = resolve))
  const reached = new Promise<void>((resolve) => (arrive = resolve))
  return {
    open,
    reached,
    wait: () => {
      arrive()
      return opened
    },
  }
}

/** Waits until `condition` holds; what never comes fails the test with its name. */
export async function until(condition: () => boolean): Promise<void> {
  // Long, as a busy machine is no fault.
  await vi.waitUntil(condition, { timeout: 45_000, interval: 5 })
}
