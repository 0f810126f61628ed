import { PgflowError, toPgflowError } from '../errors.ts'
import type { Scheduler } from '../model/scheduler.ts'
import type { RunTransport } from '../transport/types.ts'
import { withTimeout } from './abort.ts'

/** A resource that checks whether it has missed a broadcast. */
export interface ProbeTarget {
  /** The runs to check; empty while a check would not help. */
  runIds: () => readonly string[]
  /** Receives the seq of the last broadcast of each run; null where the caller may not read it. */
  onSeqs: (seqs: ReadonlyMap<string, number | null>) => void
  onFailed: (error: PgflowError) => void
}

/** Requests the seq of all followed runs at once, in one small request. */
export class SeqProbe {
  readonly #fetchSeqs: RunTransport['fetchSeqs']
  readonly #scheduler: Scheduler
  readonly #timeout: number
  readonly #life = new AbortController()
  readonly #targets = new Set<ProbeTarget>()
  /** The targets of the request under way; null while there is none. */
  #underWay: readonly ProbeTarget[] | null = null
  /** A target that asked meanwhile and is not among them. */
  #next: ProbeTarget | null = null

  constructor(transport: Pick<RunTransport, 'fetchSeqs'>, scheduler: Scheduler, timeout: number) {
    this.#fetchSeqs = transport.fetchSeqs
    this.#scheduler = scheduler
    this.#timeout = timeout
  }

  /** Whether the database has a seq; plain pgflow has none. */
  get isPossible(): boolean {
    return this.#fetchSeqs !== null
  }

  add(target: ProbeTarget): void {
    this.#targets.add(target)
  }

  remove(target: ProbeTarget): void {
    this.#targets.delete(target)
  }

  /** Sends a request for all targets, unless one is under way for `asker`. */
  async request(asker: ProbeTarget): Promise<void> {
    if (!this.#fetchSeqs) return
    if (this.#underWay) {
      if (!this.#underWay.includes(asker)) this.#next = asker
      return
    }
    const asked = [...this.#targets].map((target) => ({ target, runIds: target.runIds() }))
    const wanted = asked.filter(({ runIds }) => runIds.length > 0)
    const ids = [...new Set(wanted.flatMap(({ runIds }) => runIds))]
    if (ids.length === 0) return
    this.#underWay = wanted.map(({ target }) => target)
    const answer = await this.#ask(this.#fetchSeqs, ids)
    this.#underWay = null
    for (const { target } of wanted) {
      if (!this.#targets.has(target)) continue
      if (answer instanceof PgflowError) target.onFailed(answer)
      else target.onSeqs(new Map(ids.map((id) => [id, answer.get(id) ?? null])))
    }
    const next = this.#next
    this.#next = null
    if (next) await this.request(next)
  }

  dispose(): void {
    this.#targets.clear()
    this.#life.abort()
  }

  #ask(fetchSeqs: NonNullable<RunTransport['fetchSeqs']>, ids: readonly string[]) {
    return withTimeout(this.#scheduler, this.#timeout, [this.#life.signal], (signal) =>
      fetchSeqs(ids, signal),
    ).catch(toPgflowError)
  }
}
