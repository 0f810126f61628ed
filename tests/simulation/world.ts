import { runTopic, userTopic } from '../../src/model/wire.ts'
import type { Message } from '../../src/testing/rows.ts'
import { AppTime } from './app-time.ts'
import { SimulatedApp } from './app.ts'
import * as bounds from './bounds.ts'
import { Calls } from './calls.ts'
import { ChangeWitness } from './change-witness.ts'
import { SimulatedChannels } from './channels.ts'
import { Client } from './client.ts'
import { createRandom, settleAll, VirtualClock } from '../support/virtual-clock.ts'
import { Conditions } from './conditions.ts'
import { runOfId } from './flows.ts'
import { FeedReceived } from './feed-received.ts'
import { Received } from './received.ts'
import { Journal } from './journal.ts'
import { ListWitness } from './list-witness.ts'
import type { Forgery, Plan } from './plan.ts'
import { Promptness } from './promptness.ts'
import { Requests } from './requests.ts'
import { RunWitness } from './run-witness.ts'
import { SimulatedSession } from './session.ts'
import { Shown } from './shown.ts'
import { TestPageActivity } from '../../src/testing/test-page-activity.ts'
import { Traffic } from './traffic.ts'
import { createTransport } from './transport.ts'
import { Truth, type RunTruth } from './truth.ts'
import type { Rule, Violation } from './violation.ts'

/** Who is signed in at first, and owns what is seeded. */
export const firstUser = 'anna'

/** How a schedule is watched. */
export interface WorldOptions {
  isJournalKept?: boolean
  ignored?: readonly string[]
}

/** What one schedule happens in: the database, the network, time, and who is signed in. */
export class World {
  readonly clock: VirtualClock
  readonly conditions: Conditions
  readonly journal: Journal
  readonly truth: Truth
  readonly session = new SimulatedSession(firstUser)
  readonly pageActivity = new TestPageActivity()
  readonly violations: Violation[] = []
  /** See the parts of the app. */
  readonly more = new Map<string, number>()
  /** The page that is open. */
  page: Page | null = null
  readonly #plan: Plan
  readonly #ignored: ReadonlySet<string>

  constructor(plan: Plan, { isJournalKept = false, ignored = [] }: WorldOptions) {
    this.#plan = plan
    this.#ignored = new Set(ignored)
    this.clock = new VirtualClock(createRandom(plan.seed + 1), settleAll)
    this.conditions = new Conditions(createRandom(plan.seed + 2), this.clock.now)
    this.journal = new Journal(isJournalKept, this.clock.now)
    this.truth = new Truth({
      now: this.clock.now,
      isPrivate: plan.mode === 'private',
      onMessage: (message) => this.broadcast(message),
      onCommit: (run) => this.#noteCommit(run),
    })
  }

  get plan(): Plan {
    return this.#plan
  }

  /** Whether snapshots may come from an outdated replica. */
  get mayLag(): boolean {
    return this.#plan.entries.some((each) => each.group === 'fault' && each.fault === 'replica')
  }

  readonly violate = (rule: Rule, text: string): void => {
    if (this.#ignored.has(rule)) return
    this.journal.note(() => `VIOLATION ${rule}: ${text}`)
    this.violations.push({ rule, at: this.clock.time, text })
  }

  /** Sends a message of the database to the page, as this edition of the SQL does. */
  broadcast(message: Message): void {
    const { mode } = this.#plan
    if (mode === 'public' || mode === 'private') return this.page?.channels.send(message)
    const { seq: _seq, ...payload } = message.payload
    // Plain pgflow broadcasts neither the progress of maps nor that a task is retried.
    if (/:(progress|retrying)$/.test(message.name)) return
    this.page?.channels.send({ ...message, payload })
  }

  /** Opens a page: an app with the plugin, and the witnesses that check it. */
  open(state: string | null): Page {
    this.page = new Page(this, state)
    return this.page
  }

  #noteCommit({ record, last }: RunTruth): void {
    this.journal.note(() => {
      const steps = last.snapshot.steps.map(({ step_slug, status }) => `${step_slug}=${status}`)
      const run = Number.parseInt(record.run.run_id.slice(0, 8), 16)
      return `DATABASE run ${run} ${last.snapshot.run.status} [${steps.join(' ')}] seq ${last.snapshot.seq}`
    })
  }
}

/** One page of the app, from when it is opened until it is left. */
export class Page {
  readonly time: AppTime
  readonly received = new Received()
  readonly feed = new FeedReceived()
  readonly requests: Requests
  readonly channels: SimulatedChannels
  readonly client: Client
  readonly shown: Shown
  readonly calls: Calls
  readonly app: SimulatedApp
  readonly changes: ChangeWitness
  readonly runs: RunWitness
  readonly promptness: Promptness
  readonly lists: ListWitness
  readonly traffic: Traffic
  #observed = new Set<string>()
  /** Whether anything has reached the app since the last look at it: nothing else changes it. */
  #isTouched = true
  #version = -1
  readonly #world: World

  constructor(world: World, state: string | null) {
    const { clock, conditions, truth, session, plan, violate, journal } = world
    this.#world = world
    const { mode, latency } = plan
    const now = clock.now
    const { user } = session
    const common = { truth, mode, now, user, conditions, violate, received: this.received }
    const network = { clock, conditions, latency, journal, random: createRandom(plan.seed + 3) }
    this.time = new AppTime(clock, conditions, createRandom(plan.seed + 4), this.touch)
    this.requests = new Requests({
      ...network,
      onSent: (request) => this.traffic.onSent(request),
      onSettled: this.touch,
    })
    this.channels = new SimulatedChannels({
      ...network,
      mayListen: (topic) => truth.database.mayListen(topic, user()),
      onArrived: (...arrived) => this.#onArrived(world, ...arrived),
      onJoined: (runId, at) => this.#onJoined(world, runId, at),
      onOpened: (runId) => this.traffic.orphan(runId),
      onCall: this.touch,
      onClosed: (runId) => this.received.forget(runId),
      onFed: (message) => this.feed.add(message, this.time.now()),
      onFeedLeft: () => this.feed.clear(),
    })
    this.traffic = new Traffic({
      ...{ requests: this.requests, channels: this.channels, maxChannels: plan.maxChannels },
      ...{ now, violate, listReadsAllowed: () => 1 + plan.entries.filter(isListEntry).length },
    })
    const transport = createTransport({
      ...{ truth, mode, conditions, session, received: this.received, now },
      ...{ requests: this.requests, channels: this.channels },
    })
    const { gcTime, maxChannels } = plan
    const { startTimeout, snapshotTimeout } = bounds
    this.client = new Client({
      ...{ transport, pageActivity: world.pageActivity, state },
      options: {
        ...{ ssr: false, scheduler: this.time, gcTime, maxChannels, startTimeout, snapshotTimeout },
        stallAfter: 60_000,
      },
      onComplaint: (text) => violate('complaint', text),
    })
    this.shown = new Shown(this.client.store)
    this.changes = new ChangeWitness(truth, this.received, violate)
    this.client.run(() => this.client.store.onRunChange(this.changes.check))
    this.calls = new Calls({
      ...{ now, violate, abortedBound: bounds.abortedCall },
      heldUpSince: (time) => conditions.heldUpSince(time),
    })
    this.app = new SimulatedApp({
      ...{ client: this.client, calls: this.calls, clock, truth, violate },
      mayBeOutdated: (runId) => {
        return world.mayLag || this.received.taintOf(runId) !== undefined
      },
      isTainted: (runId) => this.received.taintOf(runId) !== undefined,
      answerOf: (runId) => this.received.answerOf(runId),
      onForget: (runId) => this.#forget(runId),
      more: world.more,
    })
    this.runs = new RunWitness({
      ...{ ...common, shown: this.shown, changes: this.changes },
      isObserved: (runId) => this.#observed.has(runId),
    })
    const isReceiving = (runId: string) => this.channels.isReceiving(runTopic(runId))
    this.promptness = new Promptness({ ...common, shown: this.shown, isReceiving })
    const hasFeed = () => this.channels.isReceiving(userTopic(user() ?? ''))
    const hasStarted = (runId: string) =>
      this.requests.sent.some(({ kind, about }) => kind === 'start' && about.includes(runId))
    this.lists = new ListWitness({
      hasStarted,
      hasReceivedEnd: (runId) => this.feed.hasEnded(runId, this.time.now()),
      ...common,
      hasFeed,
      pagesOf: (plan) => this.app.pagesOf(plan),
    })
  }

  /** Something reaches the app. */
  readonly touch = (): void => {
    this.#isTouched = true
  }

  /** What must hold at any moment. */
  check(runIds: Iterable<string>): void {
    const { version } = this.#world.truth
    const isNew = this.#isTouched || version !== this.#version
    if (this.#isTouched) this.#look(runIds)
    this.#isTouched = false
    this.#version = version
    if (isNew) {
      this.promptness.look(this.#observed)
      this.lists.look(this.app.lists)
    }
    this.promptness.check()
    this.lists.check()
    this.calls.check()
  }

  /** Somebody else uses the page, or nobody. */
  signIn(user: string | null): void {
    const { session, plan } = this.#world
    const isOther = user !== session.user()
    session.become(user)
    this.channels.review(false)
    // On private channels a new observer begins with nothing.
    if (isOther && plan.mode === 'private') this.app.forgetAll()
  }

  #look(runIds: Iterable<string>): void {
    const { observed } = this.app
    // A request from before the first observer belongs to no run, or ends soon.
    for (const runId of observed) if (!this.#observed.has(runId)) this.traffic.orphan(runId)
    for (const runId of this.#observed) if (!observed.has(runId)) this.traffic.orphan(runId)
    this.#observed = observed
    for (const runId of runIds) this.runs.check(runId)
    this.traffic.checkChannels()
    if (this.#world.plan.mode === 'private') this.#checkJoins()
  }

  /** A private run is joined once it is there: not together with its start. */
  #checkJoins(): void {
    const { truth, violate } = this.#world
    for (const { kind, about, at } of this.requests.open) {
      const [runId] = about
      if (kind !== 'start' || runId === undefined || truth.runs.has(runId)) continue
      if (this.channels.openedAt(runId) !== at) continue
      violate('channels', `run ${runOfId(runId)} is joined together with its start`)
    }
  }

  #onArrived({ clock }: World, runId: string, message: Message, forgery: Forgery | null): void {
    const { seq, run_id } = message.payload
    const at = clock.time
    // A malformed broadcast has no seq: an outdated snapshot after it looks like a new one.
    const isReadable = run_id === runId || !this.#world.mayLag
    const last = typeof seq === 'number' && isReadable ? seq : 0
    if (forgery === null) {
      this.received.add(runId, last)
      this.received.stir(runId, at)
    } else if (forgery === 'next-seq' || forgery === 'old-seq')
      this.received.taint(runId, at + bounds.afterForgedEvent)
    else if (forgery === 'end' || forgery === 'absurd-seq') {
      this.received.taint(runId, at + bounds.afterForgedSeq)
    }
  }

  /** What was sent before a join is in the snapshot after it, unless that is an old one. */
  #onJoined({ truth }: World, runId: string, at: number): void {
    this.traffic.stir()
    const seq = truth.runs.get(runId)?.asOf(at)?.seq ?? 0
    if (!this.#world.mayLag) this.received.add(runId, seq)
  }

  #forget(runId: string | null): void {
    this.runs.forget(runId)
    this.changes.forget(runId)
    const forgotten = runId === null ? this.shown.runIds : [runId]
    for (const each of forgotten) this.traffic.orphan(each)
    if (runId !== null) return this.received.forget(runId)
    this.received.clear()
    this.feed.clear()
  }
}

function isListEntry(entry: Plan['entries'][number]): boolean {
  return entry.group === 'app' && (entry.app === 'page' || entry.app === 'list')
}
