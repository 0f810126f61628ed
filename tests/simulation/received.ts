/** What is shown of a run may be forged. */
export interface Taint {
  /** Until when it may be. */
  until: number
}

/** A request that has succeeded. */
export interface Answer {
  askedAt: number
  seq: number | null
}

/** What has reached one client of each run, whatever the client has made of it. */
export class Received {
  readonly #seqs = new Map<string, number>()
  readonly #lastAt = new Map<string, number>()
  readonly #answers = new Map<string, Answer>()
  readonly #refused = new Map<string, { askedAt: number; since: number }>()
  readonly #taints = new Map<string, Taint>()
  readonly #forgedUntil = new Map<string, number>()

  /** A genuine message or a snapshot of the run came, up to this seq. */
  add(runId: string, seq: number): void {
    this.#seqs.set(runId, Math.max(this.seqOf(runId), seq))
  }

  /** A genuine message came: the run is active. */
  stir(runId: string, now: number): void {
    this.#lastAt.set(runId, now)
  }

  /** A request of the run has succeeded that was made at `askedAt`. */
  answer(runId: string, askedAt: number, seq: number | null): void {
    const known = this.#answers.get(runId)
    if (!known || askedAt >= known.askedAt) this.#answers.set(runId, { askedAt, seq })
    // One that was asked for before belongs to nobody who was refused.
    if (askedAt >= (this.#refused.get(runId)?.askedAt ?? 0)) this.#refused.delete(runId)
  }

  /** The latest request of the run among those that have succeeded. */
  answerOf(runId: string): Answer | undefined {
    return this.#answers.get(runId)
  }

  /** A read of the run was refused. */
  refuse(runId: string, askedAt: number, since: number): void {
    if (!this.#refused.has(runId)) this.#refused.set(runId, { askedAt, since })
  }

  /** Since when every request of the run was refused; undefined if the last one succeeded. */
  refusedSince(runId: string): number | undefined {
    return this.#refused.get(runId)?.since
  }

  /** The channel of the run is left: what was received on it may be dropped. */
  forget(runId: string): void {
    this.#seqs.delete(runId)
  }

  /** Everything is forgotten. */
  clear(): void {
    this.#seqs.clear()
    this.#taints.clear()
    this.#forgedUntil.clear()
  }

  /** The highest seq that was received. */
  seqOf(runId: string): number {
    return this.#seqs.get(runId) ?? 0
  }

  /** When a message of the run last came. */
  lastAt(runId: string): number {
    return this.#lastAt.get(runId) ?? -Infinity
  }

  /** Something forged has come, which may show until `until`. */
  taint(runId: string, until: number): void {
    this.#taints.set(runId, { until: Math.max(until, this.taintOf(runId)?.until ?? 0) })
    this.#forgedUntil.set(runId, Math.max(until, this.#forgedUntil.get(runId) ?? 0))
  }

  /** Nothing was requested for some time: what may be forged is doubted only from now on. */
  postpone(until: number): void {
    for (const runId of this.#taints.keys()) this.taint(runId, until)
    for (const [runId, known] of this.#forgedUntil) {
      this.#forgedUntil.set(runId, Math.max(known, until))
    }
  }

  /**
   * Whether lists may show something forged: also once the run itself is shown as it is, since they
   * hear of it and read by themselves.
   */
  isForgedInLists(runId: string, now: number): boolean {
    return now < (this.#forgedUntil.get(runId) ?? -Infinity)
  }

  /** Whether anything forged has come of the run, be it that it was put right since. */
  wasForged(runId: string): boolean {
    return this.#forgedUntil.has(runId)
  }

  taintOf(runId: string): Taint | undefined {
    return this.#taints.get(runId)
  }

  /** The runs of which what is shown may be forged. */
  get tainted(): readonly string[] {
    return [...this.#taints.keys()]
  }

  /** What is shown is genuine again. */
  clean(runId: string): void {
    this.#taints.delete(runId)
  }
}
