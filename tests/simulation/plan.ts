import type { PgflowErrorCode } from '../../src/errors.ts'

// A schedule as data: it can be printed, made smaller and played again.

/** With which SQL, and on which channels. `plain-old` is pgflow before 0.11. */
export type Mode = 'public' | 'private' | 'plain' | 'plain-old'

/**
 * How a run is observed: by the store, or by a component, which may be kept alive when it is left.
 */
export type ObserveVia = 'store' | 'run' | 'step' | 'kept'

/** What a request is for. */
export type RequestKind = 'start' | 'read' | 'probe' | 'list' | 'flow'

/** What happens to a request. */
export type RequestFate =
  | { fate: 'refused'; code: PgflowErrorCode }
  /** It is executed, and its response is lost. */
  | { fate: 'lost' }
  /** It never gets a response. */
  | { fate: 'hangs' }
  /** It is executed, and its response comes so many ms later. */
  | { fate: 'slow'; ms: number }
  /** The response comes although the caller has aborted, and is passed to the caller. */
  | { fate: 'ignores-abort'; ms: number }
  /** The run is not there; of several, each. */
  | { fate: 'missing' }
  /** An error in place of one of the runs. */
  | { fate: 'broken-row' }

/** What happens to a broadcast. */
export type MessageFate = 'dropped' | 'duplicated' | 'late' | 'truncated' | 'unknown' | 'malformed'

/** What happens to a join. */
export type JoinFate = 'late' | 'refused' | 'hangs' | 'unready'

/** What a stranger sends on a public channel. */
export type Forgery = 'absurd-seq' | 'next-seq' | 'end' | 'old-seq' | 'malformed'

/** What workers, owners and others do in the database. */
export type WorkEntry = { at: number; group: 'work'; run: number } & (
  | { work: 'step'; roll: number; of: number }
  | { work: 'seed' }
  | { work: 'fail' }
  /** All that is left of it is done. */
  | { work: 'finish' }
  | { work: 'repair' }
  | { work: 'delete' }
  | { work: 'lose-counter' }
)

/** What the app does. `slot` names what is released later. */
export type AppEntry = { at: number; group: 'app' } & (
  | {
      app: 'start'
      run: number
      via: 'store' | 'flow' | 'kept'
      abortAfter: number | null
      slot: number
    }
  | { app: 'observe'; run: number; via: ObserveVia; slot: number }
  | { app: 'wait'; run: number; timeout: number | null; abortAfter: number | null }
  | { app: 'refresh'; run: number }
  | { app: 'remove'; run: number }
  | { app: 'list'; query: ListPlan; slot: number; isKept?: boolean }
  | { app: 'more'; slot: number }
  | { app: 'reread'; slot: number }
  | { app: 'page'; query: ListPlan }
  | { app: 'flow'; flow: number }
  | { app: 'release'; slot: number }
  /** A component is left: it is unmounted, or deactivated where it is to be kept. */
  | { app: 'leave'; slot: number; isKept: boolean }
  /** What was left is come back to, be it by another way; what was not is mounted anew at once. */
  | { app: 'return'; slot: number; via: ObserveVia | null }
  | { app: 'reset' }
  | { app: 'reload' }
  | { app: 'sign-in'; user: string | null }
)

/** Which runs a list shows. */
export interface ListPlan {
  flow: number | null
  status: string | null
  pageSize: number
}

/** What goes wrong between `at` and `until`, or at one moment. */
export type FaultEntry = { at: number; group: 'fault'; until: number } & (
  | { fault: 'requests'; kinds: readonly RequestKind[]; rate: number; how: RequestFate }
  | { fault: 'replica'; lag: number; rate: number }
  | { fault: 'messages'; rate: number; how: MessageFate }
  | { fault: 'silent'; rate: number }
  | { fault: 'joins'; how: JoinFate; code: PgflowErrorCode }
  /** No request and no message gets through; the browser may notice. */
  | { fault: 'no-network'; isNoticed: boolean }
  /** The browser reports that it is offline, and is wrong. */
  | { fault: 'offline-hint' }
  | { fault: 'hidden' }
  /** Timers of the app run once a minute. */
  | { fault: 'throttled' }
  /** Nothing of the app runs. */
  | { fault: 'asleep' }
  /** Every channel is lost, once, and comes back; a share of them. */
  | { fault: 'cut'; rate: number }
  /** The clock of the device is set. */
  | { fault: 'clock'; ms: number }
  /** The user has another token; channels are closed where the old one had expired. */
  | { fault: 'token'; closes: boolean }
  | { fault: 'forged'; run: number; how: Forgery; every: number | null }
)

export type Entry = WorkEntry | AppEntry | FaultEntry

/** A schedule. */
export interface Plan {
  seed: number
  /** What kind of schedule it is: some promises are only looked at in some. */
  profile: Profile
  mode: Mode
  runs: number
  gcTime: number
  maxChannels: number
  /** How long a message, or one way of a request, takes at most. */
  latency: number
  /** Whether the page was rendered on a server, which read these runs and the first list. */
  isRendered: boolean
  /** Whether scopes end before the app does. */
  isTidy: boolean
  /** When the last entry is over. */
  end: number
  entries: Entry[]
}

export type Profile =
  | 'mixed'
  | 'quiet'
  | 'flood'
  | 'outage'
  | 'silent'
  | 'many'
  | 'lists'
  | 'stale'
  | 'unseen'
  | 'remounts'
  | 'ends'
