import type { PgflowError } from '../../errors.ts'
import type { RunUpdate } from '../../model/run-list.ts'
import type { RunChannel } from '../../transport/types.ts'
import { realtimeSilent, type Subscription, type SubscriptionHandlers } from '../subscription.ts'
import type { ListContext } from './types.ts'

type Handlers = Omit<SubscriptionHandlers<RunUpdate>, 'receive'>

/** What the feed calls once for all lists. */
export interface FeedHandlers {
  onUpdate: (update: RunUpdate) => void
  /** It was joined or lost, or a broadcast came that could not be parsed. */
  onMissed: () => void
}

/** The one channel on which all lists receive the user's runs, where there is such a channel. */
export class FeedSubscription {
  readonly #context: Pick<ListContext, 'transport' | 'report' | 'isServer' | 'maxChannels'>
  readonly #shared: FeedHandlers
  readonly #handlers = new Set<Handlers>()
  #channel: RunChannel | null = null
  #isJoined = false
  #isSilent = false
  #error: PgflowError | null = null

  constructor(
    context: Pick<ListContext, 'transport' | 'report' | 'isServer' | 'maxChannels'>,
    shared: FeedHandlers,
  ) {
    this.#context = context
    this.#shared = shared
  }

  get isJoined(): boolean {
    return this.#isJoined
  }

  /** The channel as one list uses it. It is open while any list has it open. */
  subscription(handlers: Handlers): Subscription {
    const feed = () => this
    return {
      get isOpen() {
        return feed().#channel !== null
      },
      get isJoined() {
        return feed().#isJoined
      },
      get isSilent() {
        return feed().#isSilent
      },
      get isDown() {
        return feed().#error !== null
      },
      get error() {
        const error = feed().#error
        // If nobody is signed in, the database refuses the list with its own error.
        if (error?.code === 'not_signed_in') return null
        return feed().#isSilent ? realtimeSilent() : error
      },
      open: () => {
        this.#handlers.add(handlers)
        this.#open()
      },
      close: () => {
        if (this.#handlers.delete(handlers) && this.#handlers.size === 0) this.#close()
      },
      markSilent: () => {
        this.#isSilent = true
        for (const each of [...this.#handlers]) each.onSilent()
      },
    }
  }

  #open(): void {
    const { transport, report, isServer, maxChannels } = this.#context
    if (this.#channel || isServer || maxChannels < 2 || !transport.openFeed) return
    this.#channel = transport.openFeed({
      onEvent: (update) => {
        this.#received()
        this.#shared.onUpdate(update)
      },
      onJoined: () => {
        this.#isJoined = true
        this.#isSilent = false
        this.#error = null
        this.#shared.onMissed()
        for (const each of [...this.#handlers]) each.onJoined()
      },
      onDown: (error) => {
        this.#isJoined = false
        this.#isSilent = false
        this.#error = error
        this.#shared.onMissed()
        if (error.code !== 'not_signed_in') report(error)
        for (const each of [...this.#handlers]) each.onDown(error)
      },
      onMalformed: (error) => {
        report(error)
        this.#received()
        this.#shared.onMissed()
        for (const each of [...this.#handlers]) each.onMissed()
      },
    })
  }

  #received(): void {
    const wasSilent = this.#isSilent
    this.#isSilent = false
    for (const each of [...this.#handlers]) each.onReceived(wasSilent)
  }

  #close(): void {
    this.#channel?.close()
    this.#channel = null
    this.#isJoined = false
    this.#isSilent = false
    this.#error = null
  }
}
