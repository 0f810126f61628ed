import { WebSocket } from 'ws'

// Node 20 has none, and supabase-js wants one when a client is made.
export default defineNitroPlugin(() => {
  globalThis.WebSocket ??= WebSocket as unknown as typeof globalThis.WebSocket
})
