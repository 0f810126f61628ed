import { toRaw } from 'vue'
import { isTerminal, type RunSummary } from '../../src/model/entities.ts'
import { listOf, type ShownList } from './shown-list.ts'
import * as bounds from './bounds.ts'
import type { Conditions } from './conditions.ts'
import { runOfId } from './flows.ts'
import type { Received } from './received.ts'
import type { Mode } from './plan.ts'
import { excusedUntil } from './promptness.ts'
import type { Truth } from './truth.ts'
import type { Violate } from './violation.ts'

/** What lists are judged by. */
export interface ListWitnessContext {
  truth: Truth
  received: Received
  conditions: Conditions
  mode: Mode
  now: () => number
  user: () => string | null
  /** Whether the feed of the user is joined, and not silent. */
  hasFeed: () => boolean
  pagesOf: (plan: ShownList['plan']) => number
  /** Whether the feed has sent the run's end so recently that no list may show it as running. */
  hasReceivedEnd: (runId: string) => boolean
  /** Whether this page has started the run, be it that it was somebody else's. */
  hasStarted: (runId: string) => boolean
  violate: Violate
}

/** Looks at the lists that the app shows after every step. */
export class ListWitness {
  readonly #context: ListWitnessContext
  /** What each list shows wrongly, as text, and since when. */
  readonly #wrong = new Map<ShownList, ReadonlyMap<string, number>>()

  constructor(context: ListWitnessContext) {
    this.#context = context
  }

  get isCalm(): boolean {
    return [...this.#wrong.values()].every((differences) => differences.size === 0)
  }

  /** Looks at what is shown of these. */
  look(lists: readonly ShownList[]): void {
    const { now } = this.#context
    for (const list of this.#wrong.keys()) if (!lists.includes(list)) this.#wrong.delete(list)
    for (const list of lists) {
      const rows = list.handle.runs.value.map((row) => toRaw(row))
      this.#checkRows(list, rows)
      // Each by itself: under a load of ends another run may be late at every moment.
      const before = this.#wrong.get(list)
      const texts = this.#differences(list, rows)
      this.#wrong.set(list, new Map(texts.map((text) => [text, before?.get(text) ?? now()])))
    }
  }

  /** What has been wrong for too long. */
  check(): void {
    const { truth, now, conditions, mode, hasFeed, violate } = this.#context
    // A deletion sends nothing: it is found as late as a loss on the feed.
    const hasDeleted = [...truth.runs.values()].some(({ isDeleted }) => isDeleted)
    for (const [{ plan }, differences] of this.#wrong) {
      for (const [text, since] of differences) {
        let ms = bounds.polledList
        if (mode === 'private' && hasFeed()) {
          const isWhole = since > conditions.lastLoss + 60_000 && !hasDeleted
          ms = isWhole ? bounds.liveList : bounds.silentList
        }
        if (now() <= Math.max(since + ms, excusedUntil(conditions))) continue
        violate('late', `${nameOf(plan)} is wrong for ${(now() - since).toFixed(0)} ms: ${text}`)
      }
    }
  }

  #checkRows({ plan }: ShownList, rows: readonly RunSummary[]): void {
    const { truth, now, received, mode, user, pagesOf, hasStarted, hasReceivedEnd } = this.#context
    const { flow, status } = listOf(plan)
    const wrong = (text: string) => this.#context.violate('lists', `${nameOf(plan)} ${text}`)
    const pages = pagesOf(plan)
    if (rows.length > pages * plan.pageSize) wrong(`shows ${rows.length} runs in ${pages} pages`)
    rows.forEach((row, index) => {
      const name = `run ${runOfId(row.run_id)}`
      const before = rows[index - 1]
      if (before && !isBefore(before, row)) wrong(`shows ${name} out of order, or twice`)
      if (received.isForgedInLists(row.run_id, now())) return
      if (status !== null && row.status !== status) wrong(`shows ${name}, which is ${row.status}`)
      if (flow !== null && row.flow_slug !== flow) wrong(`shows ${name} of ${row.flow_slug}`)
      const isBack = !isTerminal(row.status) && hasReceivedEnd(row.run_id)
      const wasRepaired = truth.runs.get(row.run_id)?.repairedAt != null
      if (isBack && !wasRepaired) wrong(`shows ${name} as ${row.status}, and has received its end`)
      const owner = truth.runs.get(row.run_id)?.owner
      const isOwn = owner === user() || (mode !== 'private' && hasStarted(row.run_id))
      if (!isOwn) wrong(`shows ${name} of ${String(owner)} to ${String(user())}`)
    })
  }

  /** What is shown that should not be, and what is not shown that should be. */
  #differences({ plan, handle }: ShownList, rows: readonly RunSummary[]): string[] {
    const { truth, user, now, received, conditions, mode, hasFeed } = this.#context
    const { status, error } = handle.connection.value
    if (status === 'closed' && error !== null && rows.length === 0) return []
    if (user() === null) return []
    const all = truth.list(listOf(plan), user(), 100)
    const isForged = (runId: string) => received.isForgedInLists(runId, now())
    if (all.some(({ run }) => isForged(run.run_id))) return []
    if (rows.some((row) => isForged(row.run_id))) return []

    const due = all.slice(0, Math.max(rows.length, plan.pageSize)).map(({ run }) => run)
    const statuses = new Map(due.map((run) => [run.run_id, run.status]))
    const shown = new Set(rows.map((row) => row.run_id))
    const texts = due
      .filter((run) => !shown.has(run.run_id))
      .map((run) => `run ${runOfId(run.run_id)} is not shown`)
    for (const row of rows) {
      const name = `run ${runOfId(row.run_id)}`
      const should = statuses.get(row.run_id)
      if (should === undefined) texts.push(`${name} is shown in place of another`)
      else if (should !== row.status) texts.push(`${name} is shown as ${row.status}`)
    }
    const hasReceived = mode === 'private' && hasFeed() && conditions.lastMissed === -Infinity
    if (status === 'closed') texts.push(`it is closed with ${error?.code ?? 'no error'}`)
    else if (status !== 'live' && status !== 'polling') texts.push(`it is ${status}`)
    else if (status === 'polling' && hasReceived) texts.push('it is polled, and the feed delivers')
    return texts
  }
}

function isBefore(a: RunSummary, b: RunSummary): boolean {
  const [first, second] = [a.started_at ?? '', b.started_at ?? '']
  return first > second || (first === second && a.run_id > b.run_id)
}

function nameOf({ flow, status, pageSize }: ShownList['plan']): string {
  return `the list of ${flow ?? 'all'} ${status ?? 'all'} by ${pageSize}`
}
