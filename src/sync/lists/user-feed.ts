import type { PgflowError } from '../../errors.ts'
import type { RunUpdate } from '../../model/run-list.ts'
import type { RunChannel } from '../../transport/types.ts'
import { realtimeSilent, type Subscription, type SubscriptionHandlers } from '../subscription.ts'
import type { ListContext } from './types.ts'

type Handlers = Omit<SubscriptionHandlers<RunUpdate>, 'receive'>

/** What all lists share of the feed. */
export interface FeedHandlers {
  onUpdate: (update: RunUpdate) => void
  /** It was joined or lost, or something came that could not be understood. */
  onMissed: () => void
}

/** The one channel on which all lists hear of the user's runs, where there is one. */
export class UserFeed {
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

  /** A list's part in the channel: open while any list wants it. */
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
        // That nobody is signed in is for the database to mind.
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
        for (const { onSilent } of [...this.#handlers]) onSilent()
      },
    }
  }

  #open(): void {
    const { transport, report, isServer, maxChannels } = this.#context
    if (this.#channel || isServer || maxChannels < 2 || !transport.openFeed) return
    this.#channel = transport.openFeed({
      onEvent: (update) => {
        this.#heard()
        this.#shared.onUpdate(update)
      },
      onJoined: () => {
        this.#isJoined = true
        this.#isSilent = false
        this.#error = null
        this.#shared.onMissed()
        for (const { onJoined } of [...this.#handlers]) onJoined()
      },
      onDown: (error) => {
        this.#isJoined = false
        this.#isSilent = false
        this.#error = error
        this.#shared.onMissed()
        if (error.code !== 'not_signed_in') report(error)
        for (const { onDown } of [...this.#handlers]) onDown(error)
      },
      onMalformed: (error) => {
        report(error)
        this.#heard()
        this.#shared.onMissed()
        for (const { onMissed } of [...this.#handlers]) onMissed()
      },
    })
  }

  #heard(): void {
    const wasSilent = this.#isSilent
    this.#isSilent = false
    for (const { onHeard } of [...this.#handlers]) onHeard(wasSilent)
  }

  #close(): void {
    this.#channel?.close()
    this.#channel = null
    this.#isJoined = false
    this.#isSilent = false
    this.#error = null
  }
}
