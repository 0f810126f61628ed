import { throttledTimers } from './bounds.ts'
import type { FaultEntry, MessageFate, RequestFate, RequestKind } from './plan.ts'
import { chance, type Random } from './random.ts'

type Fault = FaultEntry['fault']
type FaultOf<Kind extends Fault> = Extract<FaultEntry, { fault: Kind }>

/** Faults that keep messages from arriving. */
const losses = new Set<Fault>([
  'messages',
  'silent',
  'joins',
  'no-network',
  'asleep',
  'cut',
  'token',
])

/** What goes wrong at this moment, and since when nothing does. */
export class Conditions {
  /** By how much the device's clock is wrong. */
  clockOffset = 0
  readonly #random: Random
  readonly #now: () => number
  readonly #active = new Set<FaultEntry>()
  /** When each kind of fault was last there; Infinity while it is. */
  readonly #last = new Map<Fault, number>()
  #asleepUntil = 0
  /** Codes by which requests were refused, ever. */
  readonly #refusals = new Set<string>()
  /** How long the app has slept or will have, in all. */
  #slept = 0

  constructor(random: Random, now: () => number) {
    this.#random = random
    this.#now = now
  }

  begin(entry: FaultEntry): void {
    this.#active.add(entry)
    this.#last.set(entry.fault, Infinity)
    if (entry.fault === 'asleep') {
      this.#asleepUntil = Math.max(this.#asleepUntil, entry.until)
      this.#slept += entry.until - entry.at
    }
    if (entry.fault === 'requests' && entry.how.fate === 'refused') {
      this.#refusals.add(entry.how.code)
    }
    if (entry.fault === 'requests' && entry.how.fate === 'missing') {
      this.#refusals.add('run_not_found')
    }
  }

  end(entry: FaultEntry): void {
    this.#active.delete(entry)
    if (!this.is(entry.fault)) this.#last.set(entry.fault, this.#now())
  }

  is(fault: Fault): boolean {
    return this.of(fault).length > 0
  }

  of<Kind extends Fault>(fault: Kind): FaultOf<Kind>[] {
    return [...this.#active].filter((entry): entry is FaultOf<Kind> => entry.fault === fault)
  }

  /** When a kind of fault was last there: -Infinity if never, Infinity while it is. */
  lastOf(fault: Fault): number {
    return this.#last.get(fault) ?? -Infinity
  }

  /** When messages may last have been kept from arriving. */
  get lastLoss(): number {
    return this.#latest(losses)
  }

  /** When something may last have been missed: also what a replica did not have yet at a join. */
  get lastMissed(): number {
    return Math.max(this.lastLoss, this.lastOf('replica'))
  }

  /** Whether a code was among the responses so far. */
  wasRefusedWith(...codes: string[]): boolean {
    return codes.some((code) => this.#refusals.has(code))
  }

  get hasRefused(): boolean {
    return this.#refusals.size > 0
  }

  /** Until when nothing of the app runs; in the past when it does. */
  get asleepUntil(): number {
    return this.#asleepUntil
  }

  /** When a timer of the app may fire that is due now. */
  timerAt(now: number): number {
    if (now < this.#asleepUntil) return this.#asleepUntil
    const [throttle] = this.of('throttled')
    if (!throttle) return now
    return Math.min(throttle.until, Math.ceil(now / 60_000) * 60_000)
  }

  /** For how long the app may have been kept from running since then, in ms. */
  heldUpSince(time: number): number {
    const isThrottled = this.lastOf('throttled') >= time
    const hasSlept = this.lastOf('asleep') >= time
    // Several timers one after the other, each up to a minute late.
    return (isThrottled ? 6 * throttledTimers : 0) + (hasSlept ? this.#slept : 0)
  }

  fateOfRequest(kind: RequestKind): RequestFate | null {
    const hit = this.of('requests').find(
      ({ kinds, rate }) => kinds.includes(kind) && chance(this.#random, rate),
    )
    return hit?.how ?? null
  }

  /** By how much the copy of the database that is asked is behind; null for the primary. */
  lag(): number | null {
    const hit = this.of('replica').find(({ rate }) => chance(this.#random, rate))
    return hit?.lag ?? null
  }

  fateOfMessage(): MessageFate | null {
    const hit = this.of('messages').find(({ rate }) => chance(this.#random, rate))
    return hit?.how ?? null
  }

  #latest(faults: ReadonlySet<Fault>): number {
    return Math.max(-Infinity, ...[...faults].map((fault) => this.lastOf(fault)))
  }
}
