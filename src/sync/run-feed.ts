import type { PgflowError } from '../errors.ts'
import type { RunNews } from '../model/run-list.ts'
import type { RunChannel } from '../transport/types.ts'
import type { ListSyncContext } from './list-types.ts'

/** What happens on the feed, for the lists that live on it. */
export interface RunFeedHandlers {
  onNews: (news: RunNews) => void
  onJoined: () => void
  onDown: () => void
}

/** The one channel on which all lists hear of the user's runs, where there is one. */
export class RunFeed {
  readonly #context: Pick<ListSyncContext, 'transport' | 'report' | 'isServer' | 'maxChannels'>
  readonly #handlers: RunFeedHandlers
  #channel: RunChannel | null = null
  #isJoined = false
  #error: PgflowError | null = null

  constructor(
    context: Pick<ListSyncContext, 'transport' | 'report' | 'isServer' | 'maxChannels'>,
    handlers: RunFeedHandlers,
  ) {
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

  /** Why it is down; not that nobody is signed in, which is for the database to mind. */
  get error(): PgflowError | null {
    return this.#error?.code === 'not_signed_in' ? null : this.#error
  }

  open(): void {
    const { transport, report, isServer, maxChannels } = this.#context
    if (this.#channel || isServer || maxChannels < 1) return
    this.#channel =
      transport.openFeed?.({
        onEvent: (event) => this.#handlers.onNews(event),
        onJoined: () => {
          this.#isJoined = true
          this.#error = null
          this.#handlers.onJoined()
        },
        onDown: (error) => {
          this.#isJoined = false
          this.#error = error
          if (this.error) report(error)
          this.#handlers.onDown()
        },
        onMalformed: (error) => {
          report(error)
          this.#handlers.onJoined()
        },
      }) ?? null
  }

  close(): void {
    this.#channel?.close()
    this.#channel = null
    this.#isJoined = false
    this.#error = null
  }
}
