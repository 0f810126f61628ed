import { embeddedPath, type FaultAction, type FaultState } from '../../backend/faults/state.ts'
import { readTrueRun, type TrueRun } from './true-run.ts'

/** Where the embedded backend is, and who asks. */
export interface FaultClientOptions {
  url: string
  anonKey: string
  /** The token of whoever is signed in; null for nobody. */
  accessToken: () => Promise<string | null>
}

/** Changes what the embedded backend does wrong, and reads past it. */
export interface FaultClient {
  /** What is wrong at the moment. @throws Error in words. */
  readState: () => Promise<FaultState>
  /** Changes some of the switches. @throws Error in words. */
  set: (patch: Partial<FaultState>) => Promise<FaultState>
  /** Does something once. @throws Error in words. */
  act: (action: FaultAction) => Promise<FaultState>
  /**
   * Reads a run past all faults; null for one that is not there, or is somebody else's.
   * @throws Error in words.
   */
  readRun: (runId: string) => Promise<TrueRun | null>
}

/** Talks to the switches of the embedded backend at `url`. */
export function createFaultClient(options: FaultClientOptions): FaultClient {
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(`${options.url}${embeddedPath}${path}`, {
      ...init,
      headers: {
        apikey: options.anonKey,
        'content-type': 'application/json',
        ...Object.fromEntries(new Headers(init.headers)),
      },
    }).catch(() => {
      throw new Error('The embedded backend does not answer. Is it running?')
    })
    return { response, body: await readJson(response) }
  }
  const askState = async (path: string, init?: RequestInit) => {
    const { response, body } = await ask(path, init)
    if (!response.ok || !hasState(body)) {
      throw new Error(`The switches of the embedded backend answer ${response.status}.`)
    }
    return body.state
  }
  return {
    readState: () => askState('/faults'),
    set: (patch) => askState('/faults', { method: 'PATCH', body: JSON.stringify(patch) }),
    act: (action) => askState(`/faults/${action}`, { method: 'POST' }),
    async readRun(runId) {
      const token = (await options.accessToken()) ?? options.anonKey
      const { response, body } = await ask('/rest/v1/rpc/get_run_with_states', {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-profile': 'pgflow_client' },
        body: JSON.stringify({ p_run_id: runId }),
      })
      // Where runs are private, the database raises for one that the caller may not see.
      if (response.status >= 500) throw new Error(`The database answers ${response.status}.`)
      return response.ok ? readTrueRun(body) : null
    },
  }
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json()
  } catch {
    return null
  }
}

function hasState(body: unknown): body is { state: FaultState } {
  return typeof body === 'object' && body !== null && 'state' in body
}
