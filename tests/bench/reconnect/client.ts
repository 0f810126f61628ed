import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import { WebSocket } from 'ws'
import type { Backend } from '../../../playground/backend/index.ts'
import { openSlowRoad, type SlowRoad } from '../start/slow-road.ts'

/** What a client has sent so far. */
export interface Traffic {
  /** Requests over HTTP. */
  requests: number
  /** Those of them that ask for the state of runs. */
  snapshots: number
  joins: number
  bytes: number
}

/** A page's own supabase-js, on a road that can be cut, and what it sends. */
export interface WatchedClient {
  supabase: SupabaseClient
  road: SlowRoad
  traffic: () => Traffic
  close(): Promise<void>
}

/** Connects a client to the backend, a round trip of so many ms away. */
export async function openClient(backend: Backend, roundTripMs: number): Promise<WatchedClient> {
  const road = await openSlowRoad(backend.url, roundTripMs)
  let [requests, snapshots, joins] = [0, 0, 0]
  const supabase = createClient(road.url, backend.anonKey, {
    auth: { persistSession: false, autoRefreshToken: false, storageKey: crypto.randomUUID() },
    realtime: {
      // Typed for browsers; `ws` has what is needed of it.
      transport: WebSocket as unknown as typeof globalThis.WebSocket,
      logger(kind: string, message: string) {
        if (kind === 'push' && message.includes(' phx_join ')) joins += 1
      },
    },
    global: {
      fetch(resource, init) {
        requests += 1
        const url = resource instanceof Request ? resource.url : String(resource)
        if (/_runs?_with_states$/.test(new URL(url).pathname)) snapshots += 1
        return fetch(resource, init)
      },
    },
  })
  return {
    supabase,
    road,
    traffic: () => ({ requests, snapshots, joins, bytes: road.bytes() }),
    async close() {
      await supabase.removeAllChannels()
      await supabase.realtime.disconnect()
      await road.close()
    },
  }
}
