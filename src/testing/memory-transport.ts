import type { FlowShape, Json, RunPage, ListFilter } from '../model/entities.ts'
import {
  parseFlowShape,
  parseRunSummaries,
  parseSeqs,
  parseSnapshot,
  runTopic,
  userTopic,
} from '../model/wire.ts'
import { fromFailure } from '../transport/failures.ts'
import { flowNotFound } from '../errors.ts'
import { sortOutIds, valueOf } from '../transport/rpc.ts'
import { apiSchema } from '../transport/schemas.ts'
import type { ListTransport, PgflowTransport } from '../transport/types.ts'
import type { Channels } from './channels.ts'
import type { MemoryDatabase } from './database.ts'
import type { RequestFaults, RequestKind } from './request-faults.ts'
import { DatabaseError } from './rows.ts'
import type { Session } from './session.ts'

/** A request that the app made. */
export interface TestRequest {
  kind: RequestKind
  /** What it requested: the ids of runs, or the slug of a flow. */
  runIds: readonly string[]
  flow: string | null
  /** The input of a start. */
  input: Json
}

/** What the transport brings together. */
export interface MemoryTransportParts {
  database: MemoryDatabase
  channels: Channels
  faults: RequestFaults
  isPrivate: boolean
  session: Session
  /** Called with each request. */
  onRequest: (request: TestRequest) => void
}

/**
 * The way to a database in memory: its rows and broadcasts pass through the same parsers as those
 * that come over a network, and its errors through the same table.
 */
export function createMemoryTransport(
  parts: MemoryTransportParts,
): PgflowTransport & ListTransport {
  const { database, channels, faults, isPrivate, session } = parts
  const { user } = session

  function ask<T>(
    kind: RequestKind,
    about: Partial<Omit<TestRequest, 'kind'>>,
    signal: AbortSignal,
    work: () => T,
  ): Promise<T> {
    parts.onRequest({ kind, runIds: [], flow: null, input: null, ...about })
    return faults.request(kind, signal, () => refusing(work))
  }

  return {
    joinsBeforeStart: !isPrivate,
    startFlow: (flow, input, runId, signal) =>
      ask('start', { flow, input, runIds: [runId] }, signal, () => {
        const { run } = database.startFlow(flow, input, runId, user())
        const [row] = database.snapshots([run.run_id], user())
        return valueOf('start_flow_with_states', parseSnapshot(row))
      }),
    fetchRuns: async (runIds, signal) => {
      const { ids, results } = sortOutIds(runIds)
      if (ids.length === 0) return results
      return ask('read', { runIds: ids }, signal, () => {
        const age = faults.nextAge()
        for (const row of database.snapshots(ids, user(), (record) => record.snapshot(age))) {
          results.set(row.run.run_id, valueOf('get_runs_with_states', parseSnapshot(row)))
        }
        return results
      })
    },
    fetchSeqs: async (runIds, signal) => {
      const { ids } = sortOutIds(runIds)
      if (ids.length === 0) return new Map()
      return ask('seqs', { runIds: ids }, signal, () => {
        const rows = database.snapshots(ids, user(), (record) => record.snapshot(faults.age))
        const seqs = Object.fromEntries(rows.map(({ run, seq }) => [run.run_id, seq]))
        return valueOf('get_run_seqs', parseSeqs(seqs, ids))
      })
    },
    watchSession: session.watch,
    openChannel: (runId, handlers) => channels.open(runTopic(runId), runId, handlers),
    listRuns: (query, before, limit, signal) =>
      ask('list', { flow: query.flow }, signal, (): RunPage => {
        return pageOf(database, query, before, limit, user())
      }),
    openFeed: isPrivate
      ? (handlers) => channels.open(userTopic(user() ?? ''), null, handlers)
      : null,
    fetchFlow: (flow, signal) =>
      ask('flow', { flow }, signal, (): FlowShape => {
        const shape = database.flow(flow)
        if (!shape) throw flowNotFound(flow)
        return valueOf('get_flow', parseFlowShape(shape))
      }),
  }
}

function pageOf(
  database: MemoryDatabase,
  query: ListFilter,
  before: string | null,
  limit: number,
  user: string | null,
): RunPage {
  const rows = database.list({ ...query, before, limit }, user)
  const runs = valueOf('list_runs', parseRunSummaries(rows))
  return { runs, cursor: runs.length < limit ? null : (runs.at(-1)?.cursor ?? null) }
}

/** The errors of the database, as the real transport reports them. @throws PgflowError */
export function refusing<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error
    throw fromFailure(error, 400, new AbortController().signal, { schema: apiSchema })
  }
}
