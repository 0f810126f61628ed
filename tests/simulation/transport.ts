import { PgflowError, type PgflowErrorCode } from '../../src/errors.ts'
import type { FlowShape, Json, ListFilter, RunPage, RunSnapshot } from '../../src/model/entities.ts'
import { parsePlainRunSummaries, parsePlainSnapshot } from '../../src/model/plain-wire.ts'
import {
  parseFlowShape,
  parseRunSummaries,
  parseSnapshot,
  runTopic,
  userTopic,
  type Parsed,
} from '../../src/model/wire.ts'
import { DatabaseError, type SnapshotRow } from '../../src/testing/rows.ts'
import type { ListTransport, PgflowTransport } from '../../src/transport/types.ts'
import type { SimulatedChannels } from './channels.ts'
import type { Conditions } from './conditions.ts'
import type { Received } from './received.ts'
import type { Mode, RequestFate } from './plan.ts'
import type { Requests } from './requests.ts'
import type { SimulatedSession } from './session.ts'
import type { Truth } from './truth.ts'

/** What a transport brings together. */
export interface TransportParts {
  truth: Truth
  mode: Mode
  requests: Requests
  channels: SimulatedChannels
  conditions: Conditions
  session: SimulatedSession
  received: Received
  now: () => number
}

const meanings: Record<string, PgflowErrorCode> = {
  PT401: 'not_signed_in',
  PT403: 'flow_not_allowed',
  PT404: 'flow_not_found',
  PT409: 'run_conflict',
  PT422: 'invalid_input',
}

/** The way of one client to the database of a schedule. */
export function createTransport(parts: TransportParts): PgflowTransport & ListTransport {
  const { truth, mode, requests, channels, conditions, session, received, now } = parts
  const isPlain = mode === 'plain' || mode === 'plain-old'
  const isPrivate = mode === 'private'

  /** The snapshot of a run, as it comes over the wire. */
  function answerOf(row: SnapshotRow): RunSnapshot {
    const { run, steps, seq } = JSON.parse(JSON.stringify(row)) as SnapshotRow
    if (!isPlain) return valueOf(parseSnapshot({ run, steps, seq }))
    const plainSteps = steps.map((step): Record<string, Json> => {
      const { retry: _retry, step_index: _index, ...rest } = step
      if (mode === 'plain') return rest
      const { output: _output, ...withoutOutput } = rest
      return withoutOutput
    })
    return valueOf(parsePlainSnapshot({ run, steps: plainSteps }))
  }

  function readRuns(runIds: readonly string[], user: string | null, fate: RequestFate | null) {
    const rows = truth.database.snapshots(runIds, user, truth.reading(conditions.lag()))
    const answers = new Map<string, RunSnapshot | PgflowError>()
    if (fate?.fate === 'missing') return answers
    for (const row of rows) answers.set(row.run.run_id, answerOf(row))
    const [first] = answers.keys()
    if (fate?.fate === 'broken-row' && first !== undefined) {
      answers.set(first, new PgflowError('malformed_reply', 'The row is broken.'))
    }
    return answers
  }

  /** Notes the response of a request. */
  function noteRead(
    runId: string,
    askedAt: number,
    answer: RunSnapshot | PgflowError | undefined,
  ): void {
    if (answer === undefined || answer instanceof PgflowError) {
      return received.refuse(runId, askedAt, now())
    }
    received.answer(runId, askedAt, answer.seq)
    // The response for a run that was released is ignored.
    // Of a request that was sent before the run was removed and followed again, nothing is kept.
    const isKept = askedAt >= (channels.openedAt(runId) ?? Infinity)
    if (answer.seq !== null && isKept) received.add(runId, answer.seq)
  }

  return {
    joinsBeforeStart: !isPrivate,
    async startFlow(slug, input, runId, signal) {
      const user = session.user()
      const askedAt = now()
      const snapshot = await requests.ask('start', [runId], signal, () => {
        refusing(() => truth.start(slug, input, runId, user))
        const [row] = truth.database.snapshots([runId], user, truth.reading(null))
        if (!row) throw new PgflowError('server_error', 'The run that was started is not there.')
        return answerOf(row)
      })
      if (!signal.aborted) noteRead(runId, askedAt, snapshot)
      return snapshot
    },
    async fetchRuns(runIds, signal) {
      const user = session.user()
      const askedAt = now()
      try {
        const read = (fate: RequestFate | null) => readRuns(runIds, user, fate)
        const answers = await requests.ask('read', runIds, signal, read)
        if (signal.aborted) return answers
        for (const runId of runIds) noteRead(runId, askedAt, answers.get(runId))
        return answers
      } catch (error) {
        const isRefusal = error instanceof PgflowError && !error.isTransient
        if (isRefusal) for (const runId of runIds) received.refuse(runId, askedAt, now())
        throw error
      }
    },
    fetchSeqs: isPlain
      ? null
      : async (runIds: readonly string[], signal: AbortSignal) => {
          const user = session.user()
          const seqs = await requests.ask('probe', runIds, signal, (fate) => {
            const answers = readRuns(runIds, user, fate)
            const known = [...answers].flatMap(([runId, answer]): [string, number][] =>
              answer instanceof PgflowError || answer.seq === null ? [] : [[runId, answer.seq]],
            )
            return new Map(known)
          })
          return seqs
        },
    openChannel: (runId, handlers) => channels.open(() => runTopic(runId), runId, handlers),
    listRuns: (query, before, limit, signal) => {
      const user = session.user()
      return requests.ask('list', [query.flow ?? '*', query.status ?? '*'], signal, () =>
        pageOf(parts, query, { before, limit, user }),
      )
    },
    openFeed: isPrivate
      ? (handlers) => {
          const topic = () => {
            const user = session.user()
            return user === null ? null : userTopic(user)
          }
          return channels.open(topic, null, handlers)
        }
      : null,
    watchSession: session.watch,
    fetchFlow: (slug, signal) =>
      requests.ask('flow', [slug], signal, (): FlowShape => {
        const shape = truth.database.flow(slug)
        if (!shape) throw new PgflowError('flow_not_found', 'There is no such flow.')
        return valueOf(parseFlowShape(shape))
      }),
  }
}

function pageOf(
  { truth, mode, conditions }: TransportParts,
  query: ListFilter,
  { before, limit, user }: { before: string | null; limit: number; user: string | null },
): RunPage {
  const read = truth.reading(conditions.lag())
  const rows = refusing(() => truth.database.list({ ...query, before, limit }, user, read))
  const sent = JSON.parse(JSON.stringify(rows)) as typeof rows
  const isPlain = mode === 'plain' || mode === 'plain-old'
  const runs = isPlain
    ? valueOf(parsePlainRunSummaries(sent.map(({ run }) => plainRow(run))))
    : valueOf(parseRunSummaries(sent))
  return { runs, cursor: runs.length < limit ? null : (runs.at(-1)?.cursor ?? null) }
}

function plainRow({ error_message: _error, ...run }: Omit<SnapshotRow['run'], 'input' | 'output'>) {
  return run
}

/** @throws PgflowError for what the database refuses. */
function refusing<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error
    throw new PgflowError(meanings[error.code] ?? 'server_error', error.message)
  }
}

function valueOf<T>(parsed: Parsed<T>): T {
  if (parsed.ok) return parsed.value
  throw new Error(`The model's answer does not parse: ${parsed.reason}`)
}
