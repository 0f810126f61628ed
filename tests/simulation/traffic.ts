import * as bounds from './bounds.ts'
import type { SimulatedChannels } from './channels.ts'
import { runOfId } from './flows.ts'
import type { Requests, SentRequest } from './requests.ts'
import type { Violate } from './violation.ts'

/** What traffic is judged by. */
export interface TrafficContext {
  requests: Requests
  channels: SimulatedChannels
  maxChannels: number
  now: () => number
  /** How many reads of a list of this flow and status can be asked for at once. */
  listReadsAllowed: (key: string) => number
  violate: Violate
}

/** What a client costs others: requests under way, requests after broadcasts, and channels. */
export class Traffic {
  readonly #context: TrafficContext
  /** When the app or the network did something that lets runs be read. */
  #stirs: number[] = []
  readonly #reads = new Map<string, number[]>()
  isOver = false

  constructor(context: TrafficContext) {
    this.#context = context
  }

  /**
   * A cause of requests: a call of the app, a channel that joins or goes down, a wake of the page.
   */
  stir(times = 1): void {
    const { now } = this.#context
    this.#stirs = this.#stirs.filter((at) => at > now() - 2 * bounds.readWindow)
    for (let time = 0; time < times; time += 1) this.#stirs.push(now())
  }

  /** The app has released a run: a request of it that is under way may be followed by another. */
  orphan(runId: string): void {
    for (const request of this.#context.requests.open) request.orphans.add(runId)
  }

  readonly onSent = (request: SentRequest): void => {
    const { violate } = this.#context
    if (this.isOver) violate('left', `a ${request.kind} is sent after the app has ended`)
    if (request.kind === 'list') this.#checkList(request)
    else if (request.kind !== 'flow') this.#checkRuns(request)
  }

  checkChannels(): void {
    const { channels, maxChannels, violate } = this.#context
    const { topics } = channels
    if (new Set(topics).size < topics.length) violate('channels', 'a topic has two channels')
    if (topics.length > maxChannels) violate('channels', `${topics.length} channels are open`)
  }

  #checkRuns(request: SentRequest): void {
    const { kind, about } = request
    const { requests, channels, violate } = this.#context
    for (const runId of new Set(about)) {
      // Nobody follows it (any more), and the next observer may request it again.
      if (!channels.has(runId)) request.orphans.add(runId)
      const open = [...requests.open].filter(
        ({ kind: other, about, orphans }) =>
          other === kind && about.includes(runId) && !orphans.has(runId),
      )
      if (open.length > 1) {
        violate('requests', `${open.length} ${kind}s of run ${runOfId(runId)} are in flight`)
      }
      if (kind === 'read') this.#checkRate(runId, `run ${runOfId(runId)}`)
    }
  }

  /**
   * @param key - the run, or what the list shows.
   * @param readers - how many may read by themselves.
   */
  #checkRate(key: string, name: string, readers = 1): void {
    const { now, violate } = this.#context
    const recent = (this.#reads.get(key) ?? []).filter((at) => at > now() - bounds.readWindow)
    recent.push(now())
    this.#reads.set(key, recent)
    const allowed = readers * bounds.readsPerWindow + 2 * this.#stirs.length
    if (recent.length <= allowed) return
    violate('cost', `${name} was read ${recent.length} times within 10 s`)
    this.#reads.delete(key)
  }

  #checkList({ about }: SentRequest): void {
    const { requests, listReadsAllowed, violate } = this.#context
    const key = about.join(' ')
    const isSame = (other: SentRequest) => other.kind === 'list' && other.about.join(' ') === key
    const open = [...requests.open].filter(isSame)
    const allowed = listReadsAllowed(key)
    if (open.length > allowed) {
      violate('requests', `${open.length} reads of the list ${key} are in flight`)
    }
    this.#checkRate(key, `the list ${key}`, allowed)
  }
}
