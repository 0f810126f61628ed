import { PgflowError } from '../errors.ts'
import type { RunEvent } from '../model/wire.ts'
import type { RunChannel } from '../transport/types.ts'
import type { RunContext } from './types.ts'

/** The channel on which a resource receives changes. */
export interface Subscription {
  readonly isOpen: boolean
  readonly isJoined: boolean
  /** It has failed since it was last joined. */
  readonly isDown: boolean
  /** It is joined, a broadcast was lost, and nothing was received since. */
  readonly isSilent: boolean
  /** Why it is silent or not joined, if that is to be shown. */
  readonly error: PgflowError | null
  /** Opens the channel, or waits for one to be free. */
  open: () => void
  /** Leaves the channel, and returns it to the budget. */
  close: () => void
  /** A broadcast was lost without an error: it is silent until anything is received. */
  markSilent: () => void
}

/** What happens on a channel. */
export interface SubscriptionHandlers<Update> {
  receive(update: Update): void
  /** Something was received, whatever it was. */
  onReceived(wasSilent: boolean): void
  /** It has been marked as silent. */
  onSilent(): void
  onJoined(): void
  onDown(error: PgflowError): void
  /** A broadcast was received that could not be parsed. */
  onMissed(): void
}

/** The channel of one run. It opens when the budget allows it. */
export class RunSubscription implements Subscription {
  readonly #runId: string
  readonly #context: Pick<RunContext, 'budget' | 'transport' | 'report'>
  readonly #handlers: SubscriptionHandlers<RunEvent>
  #channel: RunChannel | null = null
  #isJoined = false
  #isSilent = false
  #error: PgflowError | null = null

  constructor(
    runId: string,
    context: Pick<RunContext, 'budget' | 'transport' | 'report'>,
    handlers: SubscriptionHandlers<RunEvent>,
  ) {
    this.#runId = runId
    this.#context = context
    this.#handlers = handlers
  }

  get isOpen(): boolean {
    return this.#channel !== null
  }

  get isJoined(): boolean {
    return this.#isJoined
  }

  get isDown(): boolean {
    return this.#error !== null
  }

  get isSilent(): boolean {
    return this.#isSilent
  }

  get error(): PgflowError | null {
    return this.#isSilent ? realtimeSilent() : this.#error
  }

  readonly open = (): void => {
    const { budget, transport, report } = this.#context
    if (this.#channel || !budget.take(this.open)) return
    const handlers = this.#handlers
    this.#channel = transport.openChannel(this.#runId, {
      onEvent: (event) => {
        this.#received()
        handlers.receive(event)
      },
      onJoined: () => {
        this.#isJoined = true
        this.#isSilent = false
        this.#error = null
        handlers.onJoined()
      },
      onDown: (error) => {
        this.#isJoined = false
        this.#isSilent = false
        this.#error = error
        report(error)
        handlers.onDown(error)
      },
      onMalformed: (error) => {
        report(error)
        this.#received()
        handlers.onMissed()
      },
    })
  }

  markSilent(): void {
    this.#isSilent = true
    this.#handlers.onSilent()
  }

  close(): void {
    const { budget } = this.#context
    const channel = this.#channel
    this.#channel = null
    this.#isJoined = false
    this.#isSilent = false
    this.#error = null
    budget.forget(this.open)
    if (!channel) return
    channel.close()
    budget.give()
  }

  #received(): void {
    const wasSilent = this.#isSilent
    this.#isSilent = false
    this.#handlers.onReceived(wasSilent)
  }
}

/** The error of a silent channel. */
export function realtimeSilent(): PgflowError {
  return new PgflowError(
    'realtime_silent',
    'Realtime sends nothing: what is shown is read instead.',
  )
}
