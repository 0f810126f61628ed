import { PgflowError } from '../errors.ts'
import type { RunEvent } from '../model/wire.ts'
import type { RunChannel } from '../transport/types.ts'
import type { RunContext } from './types.ts'

/** The channel on which a resource hears of changes. */
export interface Subscription {
  readonly isOpen: boolean
  readonly isJoined: boolean
  /** It has failed since it was last joined. */
  readonly isDown: boolean
  /** It is joined and has missed something, and nothing was heard since. */
  readonly isSilent: boolean
  /** Why it is not joined or silent, if that is to be shown. */
  readonly error: PgflowError | null
  /** Opens the channel, or waits for one to be free. */
  open: () => void
  /** Leaves, and gives the channel back. */
  close: () => void
  /** Something was missed without a trace: it is silent until anything is heard. */
  markSilent: () => void
}

/** What happens on a channel. */
export interface SubscriptionHandlers<Update> {
  receive: (update: Update) => void
  /** Something came, whatever it was. */
  onHeard: (wasSilent: boolean) => void
  /** It has been marked as silent. */
  onSilent: () => void
  onJoined: () => void
  onDown: (error: PgflowError) => void
  /** Something came that could not be understood. */
  onMissed: () => void
}

/** The channel of one run: open when wanted and the budget allows it. */
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
    const { receive, onJoined, onDown, onMissed } = this.#handlers
    this.#channel = transport.openChannel(this.#runId, {
      onEvent: (event) => {
        this.#heard()
        receive(event)
      },
      onJoined: () => {
        this.#isJoined = true
        this.#isSilent = false
        this.#error = null
        onJoined()
      },
      onDown: (error) => {
        this.#isJoined = false
        this.#isSilent = false
        this.#error = error
        report(error)
        onDown(error)
      },
      onMalformed: (error) => {
        report(error)
        this.#heard()
        onMissed()
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

  #heard(): void {
    const wasSilent = this.#isSilent
    this.#isSilent = false
    this.#handlers.onHeard(wasSilent)
  }
}

/** Why a joined channel is not live. */
export function realtimeSilent(): PgflowError {
  return new PgflowError(
    'realtime_silent',
    'Realtime sends nothing: what is shown is read instead.',
  )
}
