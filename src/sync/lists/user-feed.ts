import type { PgflowError } from '../../errors.ts'
import type { RunUpdate } from '../../model/run-list.ts'
import type { RunChannel } from '../../transport/types.ts'
import type { Subscription, SubscriptionHandlers } from '../subscription.ts'
import type { ListContext } from './types.ts'

type Handlers = Omit<SubscriptionHandlers<RunUpdate>, 'receive'>

/** The one channel on which all lists hear of the user's runs, where there is one. */
export class UserFeed {
  readonly #context: Pick<ListContext, 'transport' | 'report' | 'isServer' | 'maxChannels'>
  readonly #onUpdate: (update: RunUpdate) => void
  readonly #handlers = new Set<Handlers>()
  #channel: RunChannel | null = null
  #isJoined = false
  #error: PgflowError | null = null

  constructor(
    context: Pick<ListContext, 'transport' | 'report' | 'isServer' | 'maxChannels'>,
    onUpdate: (update: RunUpdate) => void,
  ) {
    this.#context = context
    this.#onUpdate = onUpdate
  }

  /** A list's part in the channel: open while any list wants it. */
  subscription(handlers: Handlers): Subscription {
    const state = () => ({ isOpen: this.#channel !== null, isJoined: this.#isJoined })
    const error = () => this.#error
    return {
      get isOpen() {
        return state().isOpen
      },
      get isJoined() {
        return state().isJoined
      },
      get isDown() {
        return error() !== null
      },
      // That nobody is signed in is for the database to mind.
      get error() {
        return error()?.code === 'not_signed_in' ? null : error()
      },
      open: () => {
        this.#handlers.add(handlers)
        this.#open()
      },
      close: () => {
        if (this.#handlers.delete(handlers) && this.#handlers.size === 0) this.#close()
      },
    }
  }

  #open(): void {
    const { transport, report, isServer, maxChannels } = this.#context
    if (this.#channel || isServer || maxChannels < 2 || !transport.openFeed) return
    this.#channel = transport.openFeed({
      onEvent: this.#onUpdate,
      onJoined: () => {
        this.#isJoined = true
        this.#error = null
        for (const { onJoined } of [...this.#handlers]) onJoined()
      },
      onDown: (error) => {
        this.#isJoined = false
        this.#error = error
        if (error.code !== 'not_signed_in') report(error)
        for (const { onDown } of [...this.#handlers]) onDown(error)
      },
      onMalformed: (error) => {
        report(error)
        for (const { onMissed } of [...this.#handlers]) onMissed()
      },
    })
  }

  #close(): void {
    this.#channel?.close()
    this.#channel = null
    this.#isJoined = false
    this.#error = null
  }
}
