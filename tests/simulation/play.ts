import { settleAll } from '../support/virtual-clock.ts'
import { checkCost } from './cost.ts'
import { forge } from './message-faults.ts'
import { runIdOf } from './flows.ts'
import * as bounds from './bounds.ts'
import type { AppEntry, FaultEntry, Plan } from './plan.ts'
import { renderOnServer } from './server.ts'
import type { Violation } from './violation.ts'
import { firstUser, World, type Page } from './world.ts'

/** What one schedule came to. */
export interface PlayResult {
  plan: Plan
  steps: number
  /** What did not hold; empty when all did. */
  violations: Violation[]
  /** What happened, in order; empty unless requested. */
  timeline: string[]
}

/** How long after the last entry everything has to show the truth, at most. */
const longestRecovery = 900_000
/** Runs that are looked at after each step; of more, as many by turns. */
const looksPerStep = 12

/** How a schedule is played. */
export interface PlayOptions {
  /** Whether what happens is written down. */
  isJournalKept?: boolean
  /** Rules that are not looked at: to see what else there is. */
  ignored?: readonly string[]
}

/** Plays a schedule: until something does not hold, or to its end and a little after it. */
export async function play(plan: Plan, options: PlayOptions = {}): Promise<PlayResult> {
  const player = new Player(plan, options)
  await player.play()
  const { world, steps } = player
  return { plan, steps, violations: world.violations, timeline: world.journal.lines }
}

class Player {
  readonly world: World
  steps = 0
  readonly #plan: Plan
  readonly #runIds: string[]
  /** What was last written of each run. */
  readonly #written = new Map<string, string>()
  #next = 0
  #isEnding = false

  constructor(plan: Plan, options: PlayOptions) {
    this.#plan = plan
    this.world = new World(plan, options)
    this.#runIds = Array.from({ length: plan.runs }, (_, run) => runIdOf(run))
  }

  async play(): Promise<void> {
    const { world } = this
    for (const entry of this.#plan.entries) {
      if (entry.group === 'work' && entry.at === 0) world.truth.work(entry, firstUser)
    }
    this.#schedule()
    world.open(this.#plan.isRendered ? await renderOnServer(world) : null)
    await this.#until(() => world.clock.time <= this.#plan.end)
    const last = world.clock.time + longestRecovery
    await this.#until(() => !this.#isCalm && world.clock.time < last)
    if (!this.#isFine) return
    await this.#end()
  }

  get #isFine(): boolean {
    return this.world.violations.length === 0
  }

  get #isCalm(): boolean {
    const { page } = this.world
    return !page || (page.promptness.isCalm && page.lists.isCalm)
  }

  async #until(condition: () => boolean): Promise<void> {
    const { clock } = this.world
    while (this.#isFine && condition() && (await clock.step())) {
      this.steps += 1
      if (clock.isSettled) this.#check()
    }
  }

  #check(): void {
    const { page, journal } = this.world
    if (!page) return
    const count = Math.min(looksPerStep, this.#runIds.length)
    const looked = Array.from({ length: count }, (_, index) => {
      return this.#runIds[(this.#next + index) % this.#runIds.length] ?? ''
    })
    this.#next = (this.#next + count) % this.#runIds.length
    page.check(looked)
    if (!journal.isKept) return
    for (const [run, runId] of this.#runIds.entries()) this.#write(page, run, runId)
    for (const { plan, handle } of page.app.lists) {
      const rows = handle.runs.value.map(
        (row) => `${Number.parseInt(row.run_id.slice(0, 8), 16)}:${row.status}`,
      )
      const name = `list ${plan.flow ?? 'all'}/${plan.status ?? 'all'}`
      this.#writeIfNew(name, `${name}: ${rows.join(' ')} (${handle.connection.value.status})`)
    }
  }

  #write(page: Page, run: number, runId: string): void {
    if (page.shown.run(runId))
      this.#writeIfNew(runId, `   shown: run ${run} ${page.shown.text(runId)}`)
    else if (this.#written.has(runId)) this.#writeIfNew(runId, `   shown: run ${run} nothing`)
  }

  #writeIfNew(key: string, text: string): void {
    if (this.#written.get(key) === text) return
    this.#written.set(key, text)
    this.world.journal.note(() => text)
  }

  #schedule(): void {
    const { clock, conditions, truth, journal } = this.world
    for (const entry of this.#plan.entries) {
      const { at } = entry
      if (entry.group === 'work') {
        if (at > 0) clock.after(at, () => void truth.work(entry, firstUser))
      } else if (entry.group === 'fault') this.#scheduleFault(entry)
      else {
        const act = () => {
          if (this.#isEnding) return
          const wait = conditions.asleepUntil - clock.time
          if (wait > 0) return void clock.after(wait, act)
          journal.note(() => `APP ${describe(entry)}`)
          this.world.page?.traffic.stir()
          this.world.page?.touch()
          if (entry.app === 'sign-in') {
            this.world.page?.signIn(entry.user)
          } else if (entry.app === 'reload') this.#reload()
          else this.world.page?.app.do(entry)
        }
        clock.after(at, act)
      }
    }
  }

  #scheduleFault(entry: FaultEntry): void {
    const { clock, conditions, journal } = this.world
    clock.after(entry.at, () => {
      journal.note(() => `FAULT ${describe(entry)}`)
      conditions.begin(entry)
      this.#begin(entry)
      const end = () => {
        journal.note(() => `END of ${entry.fault}`)
        conditions.end(entry)
        this.#finish(entry)
      }
      // What happens at one moment is over at once.
      if (entry.until <= entry.at) end()
      else clock.after(entry.until - entry.at, end)
    })
  }

  #begin(entry: FaultEntry): void {
    const { conditions, pageActivity, session, page } = this.world
    page?.traffic.stir(2)
    page?.touch()
    if (entry.fault === 'hidden') pageActivity.become({ isVisible: false })
    else if (entry.fault === 'offline-hint') pageActivity.become({ isOnline: false })
    else if (entry.fault === 'no-network') {
      page?.channels.sever(entry.isNoticed)
      if (entry.isNoticed) pageActivity.become({ isOnline: false })
    } else if (entry.fault === 'asleep' && entry.until - entry.at > 30_000)
      page?.channels.sever(false)
    else if (entry.fault === 'cut') page?.channels.cut(entry.rate)
    else if (entry.fault === 'clock') conditions.clockOffset += entry.ms
    else if (entry.fault === 'token') {
      page?.channels.review(entry.closes)
      session.renewToken()
    } else if (entry.fault === 'forged') this.#forge(entry)
  }

  #finish(entry: FaultEntry): void {
    const { conditions, pageActivity, page } = this.world
    page?.traffic.stir(2)
    page?.touch()
    const isOffline =
      conditions.is('offline-hint') || conditions.of('no-network').some((each) => each.isNoticed)
    if (entry.fault === 'hidden') {
      pageActivity.become({ isVisible: !conditions.is('hidden') })
      page?.received.postpone(this.world.clock.time + bounds.afterForgedSeq)
    }
    if (entry.fault === 'offline-hint' || entry.fault === 'no-network') {
      pageActivity.become({ isOnline: !isOffline })
    }
  }

  #forge(entry: Extract<FaultEntry, { fault: 'forged' }>): void {
    const { truth, clock, page } = this.world
    const runId = runIdOf(entry.run)
    const ofRun = truth.runs.get(runId)
    if (ofRun && this.#plan.mode === 'public')
      page?.channels.send(forge(ofRun, entry.how), entry.how)
    if (entry.every === null || clock.time + entry.every > entry.until) return
    clock.after(entry.every, () => this.#forge(entry))
  }

  /** The page is left, and opened again with the state that a browser has kept. */
  #reload(): void {
    const { page } = this.world
    if (!page) return
    const state = page.client.serialise()
    page.traffic.isOver = true
    const { tainted } = page.received
    // What was promised in this very moment is not looked at any more.
    page.app.forgetAll()
    page.client.unmount()
    this.world.open(state)
    // What may be forged is in the state, and is doubted anew.
    const until = this.world.clock.time + bounds.afterForgedSeq
    for (const runId of tainted) this.world.page?.received.taint(runId, until)
  }

  /** The app ends, in the middle of everything or tidily. */
  async #end(): Promise<void> {
    const { world } = this
    const { page, clock } = world
    if (!page) return
    this.#isEnding = true
    this.#checkState(page)
    checkCost(this.#plan, page.requests.sent, world.violate)
    if (this.#plan.isTidy) {
      page.app.releaseAll()
      // Every request has a response, or was aborted.
      await this.#until(() => page.calls.open > 0)
      await clock.advance(this.#plan.gcTime + bounds.snapshotTimeout + 1_000)
      this.#checkLeft(page, 'nothing is observed')
    }
    page.traffic.isOver = true
    page.client.unmount()
    await settleAll()
    this.#checkLeft(page, 'the app has ended')
    await clock.advance(5_000)
    this.#checkLeft(page, 'the app has ended')
    if (page.calls.open > 0) world.violate('left', `never settled: ${page.calls.names.join(', ')}`)
    if (page.app.heldSignals > 0) world.violate('left', 'something listens to a signal of the app')
  }

  #checkState(page: Page): void {
    const text = page.client.serialise()
    const plain = JSON.stringify(JSON.parse(text))
    if (text !== plain) this.world.violate('state', 'the state is not plain JSON')
  }

  #checkLeft(page: Page, when: string): void {
    const { pageActivity, session, violate } = this.world
    const isEnd = page.traffic.isOver
    const left = [
      ...(page.time.pending > 0 ? [`${page.time.pending} timers`] : []),
      ...(page.channels.topics.length > 0 ? [`${page.channels.topics.length} channels`] : []),
      ...(page.requests.open.size > 0 ? [`${page.requests.open.size} requests`] : []),
      ...(isEnd && pageActivity.watchers > 0 ? ['a listener to the page'] : []),
      ...(isEnd && session.watchers > 0 ? ['a listener to the session'] : []),
    ]
    if (left.length > 0) violate('left', `${when}, and there are ${left.join(', ')}`)
  }
}

function describe(entry: AppEntry | FaultEntry): string {
  const { at: _at, group: _group, ...rest } = entry
  return JSON.stringify(rest)
}
