import type { PgflowError } from '../errors.ts'
import type { RunChannel, RunChannelHandlers } from '../transport/types.ts'
import type { RunSyncContext } from './types.ts'

/** The place of one run's channel: open when wanted and the budget allows it. */
export class ChannelSlot {
  readonly #runId: string
  readonly #context: RunSyncContext
  readonly #handlers: RunChannelHandlers
  #channel: RunChannel | null = null
  #isJoined = false
  #error: PgflowError | null = null

  constructor(runId: string, context: RunSyncContext, handlers: RunChannelHandlers) {
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

  /** Why it is not joined, since it was last. */
  get error(): PgflowError | null {
    return this.#error
  }

  /** Opens the channel, or waits for one to be free. */
  readonly open = (): void => {
    const { budget, transport } = this.#context
    if (this.#channel || !budget.take(this.open)) return
    this.#channel = transport.openChannel(this.#runId, {
      ...this.#handlers,
      onJoined: () => {
        this.#isJoined = true
        this.#error = null
        this.#handlers.onJoined()
      },
      onDown: (error) => {
        this.#isJoined = false
        this.#error = error
        this.#handlers.onDown(error)
      },
    })
  }

  /** Leaves, and gives the channel back. */
  close(): void {
    const { budget } = this.#context
    const channel = this.#channel
    this.#channel = null
    this.#isJoined = false
    this.#error = null
    budget.forget(this.open)
    if (!channel) return
    channel.close()
    budget.give()
  }
}
