import { PgflowError } from '../../../../src/errors.ts'
import type { Json, RunSnapshot } from '../../../../src/model/entities.ts'
import { asEvent } from '../../../support/as-event.ts'
import type {
  RunChannelHandlers,
  RunTransport,
  SessionChange,
} from '../../../../src/transport/types.ts'
import { settle } from '../../../support/virtual-clock.ts'

/** A request on its way, which is answered when and as the test says. */
export interface ScriptedRequest {
  kind: 'start' | 'read' | 'seqs'
  runIds: readonly string[]
  /** Fires when nobody waits for the answer any more. */
  signal: AbortSignal
  /** Answers with runs; a read leaves out unknown ones. An error is about the run of its `runId`. */
  reply(...results: (RunSnapshot | PgflowError)[]): Promise<void>
  /** Answers as if a run were another. */
  replyAs(runId: string, result: RunSnapshot): Promise<void>
  /** Answers a request for seqs. */
  replySeqs(seqs: Record<string, number>): Promise<void>
  /** Fails as a whole. */
  fail(error: PgflowError): Promise<void>
}

/** The channel of a run, on which happens what the test says. */
export interface ScriptedChannel {
  runId: string
  isClosed: boolean
  /** The server lets it in, the first time or again. */
  join(): Promise<void>
  /** It is lost, or refused. */
  goDown(error?: PgflowError): Promise<void>
  /** A broadcast arrives. One that does not parse is reported as the real channel does. */
  receive(name: string, payload: Record<string, unknown>): Promise<void>
}

/** Runs, seqs, or a run under the id of another. */
type Answer =
  (RunSnapshot | PgflowError)[] | Map<string, number> | { runId: string; result: RunSnapshot }

/** A way to a database that does nothing by itself. */
export class ScriptedTransport implements RunTransport {
  readonly joinsBeforeStart: boolean
  /** There unless the database does not count its runs. */
  readonly fetchSeqs: RunTransport['fetchSeqs']
  /** All channels that were ever opened, the newest last. */
  readonly channels: ScriptedChannel[] = []
  /** All requests that were ever made, the newest last. */
  readonly requests: ScriptedRequest[] = []

  readonly #ignoresAbort: boolean
  readonly #watchers = new Set<(change: SessionChange) => void>()

  constructor(joinsBeforeStart: boolean, hasSeqs = false, ignoresAbort = false) {
    this.joinsBeforeStart = joinsBeforeStart
    this.#ignoresAbort = ignoresAbort
    this.fetchSeqs = hasSeqs ? (runIds, signal) => this.#seqs(runIds, signal) : null
  }

  /** How many want to know who is signed in. */
  get watchers(): number {
    return this.#watchers.size
  }

  get openChannels(): ScriptedChannel[] {
    return this.channels.filter((channel) => !channel.isClosed)
  }

  startFlow(_flowSlug: string, _input: Json, runId: string, signal: AbortSignal) {
    return this.#read('start', [runId], signal).then(([result]) => {
      if (result instanceof PgflowError) throw result
      if (!result) throw new Error('a start is answered by a run')
      return result
    })
  }

  async fetchRuns(runIds: readonly string[], signal: AbortSignal) {
    const answer = await this.#send('read', runIds, signal)
    if (Array.isArray(answer)) return new Map(answer.map((result) => [idOf(result), result]))
    if (answer instanceof Map) throw new Error('not what was asked for')
    return new Map([[answer.runId, answer.result]])
  }

  watchSession(onChange: (change: SessionChange) => void): () => void {
    this.#watchers.add(onChange)
    return () => this.#watchers.delete(onChange)
  }

  /** Somebody signs in or out, or has a new token. */
  changeSession(change: SessionChange): Promise<void> {
    for (const watcher of [...this.#watchers]) watcher(change)
    return settle()
  }

  openChannel(runId: string, handlers: RunChannelHandlers) {
    const tell = async (what: () => void) => {
      if (!channel.isClosed) what()
      await settle()
    }
    const channel: ScriptedChannel = {
      runId,
      isClosed: false,
      join: () => tell(() => handlers.onJoined()),
      goDown: (error = new PgflowError('channel_failed', 'The connection is lost.')) =>
        tell(() => handlers.onDown(error)),
      receive: (name, payload) =>
        tell(() => {
          const event = asEvent(name, { run_id: runId, ...payload })
          if (event.ok) handlers.onEvent(event.value)
          else handlers.onMalformed(new PgflowError('malformed_message', event.reason))
        }),
    }
    this.channels.push(channel)
    return { close: () => void (channel.isClosed = true) }
  }

  async #read(kind: 'start' | 'read', runIds: readonly string[], signal: AbortSignal) {
    const answer = await this.#send(kind, runIds, signal)
    if (Array.isArray(answer)) return answer
    throw new Error('not what was asked for')
  }

  async #seqs(runIds: readonly string[], signal: AbortSignal) {
    const answer = await this.#send('seqs', runIds, signal)
    if (answer instanceof Map) return answer
    throw new Error('not what was asked for')
  }

  #send(kind: ScriptedRequest['kind'], runIds: readonly string[], signal: AbortSignal) {
    return new Promise<Answer>((resolve, reject) => {
      signal.addEventListener('abort', () => {
        if (this.#ignoresAbort) return
        reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
      })
      this.requests.push({
        kind,
        runIds,
        signal,
        reply: (...results) => {
          resolve(results)
          return settle()
        },
        replyAs: (runId, result) => {
          resolve({ runId, result })
          return settle()
        },
        replySeqs: (seqs) => {
          resolve(new Map(Object.entries(seqs)))
          return settle()
        },
        fail: (error) => {
          reject(error)
          return settle()
        },
      })
    })
  }
}

function idOf(result: RunSnapshot | PgflowError): string {
  const id = result instanceof PgflowError ? result.runId : result.run.run_id
  if (id === null) throw new Error('an error about one run names it')
  return id
}
