import { PgflowError, type PgflowErrorCode } from '../../src/errors.ts'
import type { VirtualClock } from '../support/virtual-clock.ts'
import type { Conditions } from './conditions.ts'
import type { Journal } from './journal.ts'
import type { RequestFate, RequestKind } from './plan.ts'
import { between, type Random } from './random.ts'

/** A request that a client has sent. */
export interface SentRequest {
  kind: RequestKind
  /** The runs that it is about; of a list, its flow and status. */
  about: readonly string[]
  at: number
  /** Neither completed nor aborted. */
  isOpen: boolean
  /** Runs that the app has released meanwhile: their responses change nothing. */
  orphans: Set<string>
}

/** What requests need of their world. */
export interface RequestsContext {
  clock: VirtualClock
  conditions: Conditions
  random: Random
  /** How long one way takes at most, in ms. */
  latency: number
  journal: Journal
  onSent: (request: SentRequest) => void
  /** Called when a request is completed or aborted. */
  onSettled?: () => void
}

/** What the server does: it is given what happens to the request beyond its way. */
type Work<T> = (fate: RequestFate | null) => T

/** The way of requests to the database and back, and everything that can go wrong on it. */
export class Requests {
  /** All that were sent, in order. */
  readonly sent: SentRequest[] = []
  /** Those that are neither completed nor aborted. */
  readonly open = new Set<SentRequest>()
  readonly #context: RequestsContext

  constructor(context: RequestsContext) {
    this.#context = context
  }

  /** @throws PgflowError */
  ask<T>(
    kind: RequestKind,
    about: readonly string[],
    signal: AbortSignal,
    work: Work<T>,
  ): Promise<T> {
    const { clock, conditions, journal, onSent } = this.#context
    if (signal.aborted) return Promise.reject(reasonOf(signal))
    const request: SentRequest = { kind, about, at: clock.time, isOpen: true, orphans: new Set() }
    this.sent.push(request)
    this.open.add(request)
    onSent(request)
    const fate = conditions.fateOfRequest(kind)
    journal.note(
      () => `→ ${kind} ${about.map(short).join(' ')}${fate ? ` (${fateText(fate)})` : ''}`,
    )
    return new Promise<T>((resolve, reject) => {
      const settle = (end: () => void, text: string) => {
        if (request.isOpen) journal.note(() => `← ${kind} ${about.map(short).join(' ')}: ${text}`)
        this.#close(request)
        this.#context.onSettled?.()
        signal.removeEventListener('abort', onAbort)
        end()
      }
      const onAbort = () => {
        if (fate?.fate === 'ignores-abort') this.#close(request)
        else settle(() => reject(reasonOf(signal)), 'given up')
      }
      signal.addEventListener('abort', onAbort, { once: true })
      this.#carry(fate, work, {
        resolve: (value) => settle(() => resolve(value), 'answered'),
        reject: (error) => settle(() => reject(error), error.code),
      })
    })
  }

  #carry<T>(
    fate: RequestFate | null,
    work: Work<T>,
    answer: { resolve: (value: T) => void; reject: (error: PgflowError) => void },
  ): void {
    const { conditions } = this.#context
    this.#later(() => {
      if (conditions.is('no-network')) {
        return this.#later(() => answer.reject(failure('unreachable')))
      }
      if (fate?.fate === 'hangs') return
      if (fate?.fate === 'refused') {
        const { code } = fate
        return this.#later(() => answer.reject(failure(code)))
      }
      let back: () => void
      try {
        const value = work(fate)
        back = () => answer.resolve(value)
      } catch (error) {
        if (!(error instanceof PgflowError)) throw error
        back = () => answer.reject(error)
      }
      if (fate?.fate === 'lost') back = () => answer.reject(failure('unreachable'))
      const extra = fate && 'ms' in fate ? fate.ms : 0
      this.#later(() => this.#arrive(back), extra)
    })
  }

  #close(request: SentRequest): void {
    request.isOpen = false
    this.open.delete(request)
  }

  /** While the device sleeps nothing arrives. */
  #arrive(back: () => void): void {
    const { clock, conditions } = this.#context
    const wait = conditions.asleepUntil - clock.time
    if (wait > 0) clock.after(wait, () => this.#arrive(back))
    else back()
  }

  #later(task: () => void, extra = 0): void {
    const { clock, random, latency } = this.#context
    clock.after(extra + between(random, 1, latency), task)
  }
}

function failure(code: PgflowErrorCode): PgflowError {
  return new PgflowError(code, `The network says: ${code}.`)
}

/** As the transport over supabase-js reports it. */
function reasonOf({ reason }: AbortSignal): PgflowError {
  if (reason instanceof PgflowError) return reason
  return new PgflowError('aborted', 'The call was aborted.', { cause: reason })
}

function short(about: string): string {
  return /^[0-9a-f]{8}-abcd/.test(about) ? `run ${Number.parseInt(about.slice(0, 8), 16)}` : about
}

function fateText(fate: RequestFate): string {
  if ('code' in fate) return `${fate.fate}: ${fate.code}`
  return 'ms' in fate ? `${fate.fate}: ${fate.ms.toFixed(0)} ms` : fate.fate
}
