import type { PgflowErrorCode } from '../errors.ts'
import type { Channels } from './channels.ts'
import type { MessageSelection } from './message-faults.ts'
import { failureOf, type RequestFaults, type RequestKind } from './request-faults.ts'
import type { TestPageActivity } from './test-page-activity.ts'

/**
 * Faults between an app and its database. Planned faults affect the next requests or messages.
 * Immediate ones resolve when the store and the DOM show them.
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
  /** The page is hidden: nothing is polled. Until `showPage`. */
  hidePage: () => Promise<void>
  /** The page is visible again. */
  showPage: () => Promise<void>
  /** The socket breaks: every channel is down, and comes back after a second (`advance(1_000)`). */
  killSocket: () => Promise<void>
  /** Realtime refuses every channel, those that are open too, until `allowChannels`. */
  refuseChannels: (code?: PgflowErrorCode) => Promise<void>
  /** Realtime lets the channels in again. */
  allowChannels: () => Promise<void>
  /** The next messages are lost: so many, or the next one of a name, such as `words:completed`. */
  dropMessages: (which?: MessageSelection) => void
  /** They arrive twice. */
  duplicateMessages: (which?: MessageSelection) => void
  /** They arrive `ms` later (`advance(ms)`); others overtake them. */
  delayMessages: (ms: number, which?: MessageSelection) => void
  /** The next `count` messages arrive together, the last one first. Default: two. */
  reorderMessages: (count?: number) => void
  /** They arrive malformed. */
  malformMessages: (which?: MessageSelection) => void
  /** Messages that are sent from now on wait for `resumeMessages`. */
  pauseMessages: () => void
  /** The waiting messages arrive. */
  resumeMessages: () => Promise<void>
  /** The next request fails with this code, before anything is done. */
  failRequest: (code?: PgflowErrorCode, kind?: RequestKind) => void
  /** The next request is executed, but its response is lost. */
  loseReply: (kind?: RequestKind) => void
  /** The next request hangs until its caller aborts it or the returned function is called. */
  hangRequest: (kind?: RequestKind) => () => Promise<void>
  /** The next `count` snapshots are as they were `by` transactions before. Default: one, by one. */
  serveOutdated: (count?: number, by?: number) => void
  /** Ends all faults. Lost messages stay lost. */
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
