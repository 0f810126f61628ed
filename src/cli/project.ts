import type { SupabaseClient } from '@supabase/supabase-js'
import { CliError, messageOf } from './errors.ts'

/** How to reach a project. */
export interface ProjectAccess {
  url: string
  key: string
  token: string | undefined
}

/** The response of the API. */
export interface Answer {
  data: unknown
  /** Null if it succeeded; otherwise the problem. */
  error: { code: string; message: string; hint: string } | null
  /** The HTTP status; 0 where nothing came back. */
  status: number
}

/** A project, as an app sees it. */
export interface Project {
  url: string
  client: SupabaseClient
  /** Calls a function of `pgflow_client`. Never rejects. */
  call(name: string, args?: Record<string, unknown>): Promise<Answer>
  close(): Promise<void>
}

/** How long one request may take, in ms. */
const requestTimeout = 15_000

/**
 * Opens a project with the client that apps use.
 * @throws CliError where that client is not installed
 */
export async function openProject({ url, key, token }: ProjectAccess): Promise<Project> {
  const { createClient } = await loadClient()
  let lastFailure = ''
  const client = createClient(url, key, {
    auth: { persistSession: false, autoRefreshToken: false, detectSessionInUrl: false },
    realtime: { ...(await webSocketOption()) },
    global: {
      fetch: async (input, init) => {
        try {
          return await fetch(input, { ...init, signal: AbortSignal.timeout(requestTimeout) })
        } catch (failure) {
          // The client's message is "fetch failed"; the reason is in the cause.
          const reason = failure instanceof Error ? (failure.cause ?? failure) : failure
          lastFailure = messageOf(reason)
          throw failure
        }
      },
    },
    ...(token !== undefined && { accessToken: () => Promise.resolve(token) }),
  })
  return {
    url,
    client,
    async call(name, args = {}) {
      const reply = await client.schema('pgflow_client').rpc(name, args)
      if (!reply.error) return { data: reply.data, error: null, status: reply.status }
      const { code, message, hint } = textsOf(reply.error)
      const text = reply.status === 0 && lastFailure !== '' ? lastFailure : message
      return { data: null, error: { code, message: text, hint }, status: reply.status }
    },
    async close() {
      await client.removeAllChannels()
      await client.realtime.disconnect()
    },
  }
}

/** A response of a gateway need not have any of these fields. */
function textsOf(failure: object) {
  const text = (name: string) => {
    const value: unknown = Reflect.get(failure, name)
    return typeof value === 'string' ? value : ''
  }
  return { code: text('code'), message: text('message'), hint: text('hint') }
}

async function loadClient() {
  return import('@supabase/supabase-js').catch((cause: unknown) => {
    throw new CliError(
      'The package @supabase/supabase-js is not installed here.',
      'npm install @supabase/supabase-js, and run this again.',
      { cause },
    )
  })
}

/** Node 20 has no WebSocket of its own. */
async function webSocketOption() {
  if ('WebSocket' in globalThis) return {}
  const { WebSocket: transport }: { WebSocket: unknown } = await import('ws')
  return isWebSocketClass(transport) ? { transport } : {}
}

/** Its types differ from those of a browser, but the client uses only what is the same. */
function isWebSocketClass(value: unknown): value is typeof globalThis.WebSocket {
  return typeof value === 'function'
}

/**
 * How to reach the project; undefined if no option sets one.
 * @throws CliError if only a part is set
 */
export function accessOf({
  url,
  key,
  token,
}: Partial<Record<'url' | 'key' | 'token', string | undefined>>): ProjectAccess | undefined {
  if (url === undefined && key === undefined && token === undefined) return undefined
  if (url !== undefined && key !== undefined) return { url: projectUrl(url), key, token }
  throw new CliError(
    url === undefined ? '--url is missing.' : '--key is missing.',
    'A project is reached by both: --url https://abc.supabase.co --key <publishable or anon key>',
    { usage: true },
  )
}

/**
 * The address of a project, without the path of one of its services.
 * @throws CliError if it is not the address of a project
 */
function projectUrl(given: string): string {
  const usage = { usage: true }
  if (!URL.canParse(given)) {
    const fix = 'Pass the address from Project Settings, such as https://abc.supabase.co'
    throw new CliError('--url is not an address.', fix, usage)
  }
  const url = new URL(given)
  if (url.protocol.startsWith('postgres')) {
    const fix = 'Pass it as --db, and the address of the API (https://…) as --url.'
    throw new CliError('--url is the address of a database, not of a project.', fix, usage)
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    const fix = 'It begins with https:// (or http:// on this machine).'
    throw new CliError('--url is not the address of a project.', fix, usage)
  }
  const path = url.pathname.replace(/\/(rest|auth|realtime|storage|functions)\/v1\/?$/, '')
  return `${url.origin}${path.replace(/\/+$/, '')}`
}
