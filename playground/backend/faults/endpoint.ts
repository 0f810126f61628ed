import * as v from 'valibot'
import type { RequestHandler } from '../http.ts'
import { embeddedPath, faultActions, restFailures, type FaultAction } from './state.ts'
import type { Switchboard } from './switchboard.ts'

/** A minute is longer than anybody waits. */
const milliseconds = v.pipe(v.number(), v.minValue(0), v.maxValue(60_000))
const share = v.pipe(v.number(), v.minValue(0), v.maxValue(1))
const limit = v.pipe(v.number(), v.minValue(0), v.maxValue(1_000_000))

const patchSchema = v.strictObject({
  offline: v.exactOptional(v.boolean()),
  dropShare: v.exactOptional(share),
  duplicate: v.exactOptional(v.boolean()),
  delayMs: v.exactOptional(milliseconds),
  reorder: v.exactOptional(v.boolean()),
  replicationLost: v.exactOptional(v.boolean()),
  eventsPerSecond: v.exactOptional(v.nullable(limit)),
  tokensExpired: v.exactOptional(v.boolean()),
  restDelayMs: v.exactOptional(milliseconds),
  restFailure: v.exactOptional(v.nullable(v.picklist(restFailures))),
})

/**
 * What a page may ask the embedded backend and no real project: its switches, under
 * `/embedded/v1/faults`, and REST past all faults, under `/embedded/v1/rest/v1`. Whoever may use REST
 * may use these, and reads by them what the same token may read there.
 */
export function createEndpoint(rest: RequestHandler, switchboard: Switchboard): RequestHandler {
  return {
    check: (headers, url) => rest.check(headers, url),
    async fetch(request) {
      const url = new URL(request.url)
      const path = url.pathname.slice(embeddedPath.length)
      if (path.startsWith('/rest/v1/')) {
        url.pathname = path
        return rest.fetch(new Request(url, request))
      }
      return answer(request, path, switchboard)
    },
  }
}

async function answer(request: Request, path: string, switchboard: Switchboard): Promise<Response> {
  const [, name, action, ...rest] = path.split('/')
  if (name !== 'faults' || rest.length > 0) return refuse(404, 'Not found')
  if (action !== undefined) {
    if (!isAction(action)) return refuse(404, 'Not found')
    if (request.method !== 'POST') return refuse(405, 'Method not allowed')
    const sockets = act(action, switchboard)
    return Response.json({ state: switchboard.state, sockets })
  }
  if (request.method === 'PATCH') {
    const patch = v.safeParse(patchSchema, await readJson(request))
    if (!patch.success) return refuse(400, describe(patch.issues))
    switchboard.set(patch.output)
  } else if (request.method !== 'GET') {
    return refuse(405, 'Method not allowed')
  }
  return Response.json({ state: switchboard.state })
}

/** Returns how many sockets it ended. */
function act(action: FaultAction, switchboard: Switchboard): number {
  if (action === 'kill-sockets') return switchboard.killSockets()
  if (action === 'restart-realtime') return switchboard.restartRealtime()
  switchboard.reset()
  return 0
}

function isAction(text: string): text is FaultAction {
  return faultActions.some((action) => action === text)
}

async function readJson(request: Request): Promise<unknown> {
  try {
    return JSON.parse(await request.text())
  } catch {
    return undefined
  }
}

function describe([issue]: [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): string {
  const where = v.getDotPath(issue)
  return where === null ? issue.message : `${where}: ${issue.message}`
}

function refuse(status: number, message: string): Response {
  return Response.json({ message }, { status })
}
