import type { PgflowErrorCode } from '../errors.ts'
import type { Channels } from './channels.ts'
import type { MessageSelection } from './message-faults.ts'
import { failureOf, type RequestFaults, type RequestKind } from './request-faults.ts'
import type { TestPageActivity } from './test-page-activity.ts'

/**
 * Everything that can go wrong between an app and its database. What is planned happens to the next
 * requests or messages; what happens at once resolves when the store and the DOM show it.
 *
 * @example
 * const { faults, advance } = createTestPgflow({ flows: { f: { only: {} } } })
 * faults.dropMessages('only:completed')
 * await faults.killSocket()
 * await advance(1_000)
 */
export interface TestFaults {
  /** The device loses its network: requests fail, channels go down. Until `goOnline`. */
  goOffline: () => Promise<void>
  /** The network is back, and the channels with it. */
  goOnline: () => Promise<void>
  /** Nobody sees the page: nothing is polled. Until `showPage`. */
  hidePage: () => Promise<void>
  /** The page is seen again. */
  showPage: () => Promise<void>
  /** The socket breaks: every channel is down, and comes back after a second (`advance(1_000)`). */
  killSocket: () => Promise<void>
  /** Realtime refuses every channel, those that are open too, until `allowChannels`. */
  refuseChannels: (code?: PgflowErrorCode) => Promise<void>
  /** Realtime lets the channels in again. */
  allowChannels: () => Promise<void>
  /** So many of the next messages are lost, or the next of that name, such as `words:completed`. */
  dropMessages: (which?: MessageSelection) => void
  /** They arrive twice. */
  duplicateMessages: (which?: MessageSelection) => void
  /** They arrive `ms` later (`advance(ms)`); others overtake them. */
  delayMessages: (ms: number, which?: MessageSelection) => void
  /** The next `count` messages arrive together, the last one first. Default: two. */
  reorderMessages: (count?: number) => void
  /** They arrive spoilt. */
  malformMessages: (which?: MessageSelection) => void
  /** What is sent from now on waits for `resumeMessages`. */
  pauseMessages: () => void
  /** What has waited arrives. */
  resumeMessages: () => Promise<void>
  /** The next request fails with this code, before anything is done. */
  failRequest: (code?: PgflowErrorCode, kind?: RequestKind) => void
  /** The next request is done, but its answer is lost. */
  loseReply: (kind?: RequestKind) => void
  /** The next request hangs, until its caller gives up or the returned function is called. */
  hangRequest: (kind?: RequestKind) => () => Promise<void>
  /** The next `count` snapshots are as they were `by` transactions before. Default: one, by one. */
  serveOutdated: (count?: number, by?: number) => void
  /** Everything is well again. What was lost stays lost. */
  clear: () => Promise<void>
}

/** What the faults act on. */
export interface FaultParts {
  channels: Channels
  requests: RequestFaults
  pageActivity: TestPageActivity
  settled: () => Promise<void>
}

/** The switches of every fault. */
export function createFaults({
  channels,
  requests,
  pageActivity,
  settled,
}: FaultParts): TestFaults {
  const now = (change: () => void) => {
    change()
    return settled()
  }
  const { faults: messages } = channels
  const page = (isVisible: boolean) => now(() => pageActivity.become({ isVisible }))
  const goOnline = () => {
    if (pageActivity.isOnline()) return
    pageActivity.become({ isOnline: true })
    channels.restore()
  }
  const allowChannels = () => {
    if (channels.refusal === null) return
    channels.refusal = null
    channels.restore()
  }
  return {
    goOffline: () =>
      now(() => {
        pageActivity.become({ isOnline: false })
        channels.cut()
      }),
    goOnline: () => now(goOnline),
    hidePage: () => page(false),
    showPage: () => page(true),
    killSocket: () => now(() => channels.kill()),
    refuseChannels: (code = 'channel_refused') =>
      now(() => {
        channels.refusal = code
        channels.review()
      }),
    allowChannels: () => now(allowChannels),
    dropMessages: (which = 1) => messages.drop(which),
    duplicateMessages: (which = 1) => messages.duplicate(which),
    delayMessages: (ms, which = 1) => messages.delay(ms, which),
    reorderMessages: (count = 2) => messages.reorder(count),
    malformMessages: (which = 1) => messages.malform(which),
    pauseMessages: () => messages.pause(),
    resumeMessages: () => now(() => messages.resume()),
    failRequest: (code = 'unreachable', kind) => {
      requests.plan(kind, { kind: 'fail', error: failureOf(code, `The test says: ${code}.`) })
    },
    loseReply: (kind) => requests.plan(kind, { kind: 'lose' }),
    hangRequest: (kind) => {
      let release = () => {}
      const released = new Promise<void>((resolve) => (release = resolve))
      requests.plan(kind, { kind: 'hang', released })
      return () => now(release)
    },
    serveOutdated: (count = 1, by = 1) => requests.planOutdated(count, by),
    clear: () =>
      now(() => {
        messages.clear()
        requests.clear()
        goOnline()
        allowChannels()
        pageActivity.become({ isVisible: true })
      }),
  }
}
