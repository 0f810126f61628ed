/** What has changed in runs and was not told yet: the status that each row had when last told. */
export class PendingChanges {
  readonly #before = new Map<string, Map<string | null, string>>()

  /**
   * A run (`slug` null) or step has another status or output than it had.
   * @param isFirst - whether it is only now read: then there was nothing before.
   */
  note(runId: string, slug: string | null, before: string, isFirst = false): void {
    const ofRun = this.#before.get(runId) ?? new Map<string | null, string>()
    this.#before.set(runId, ofRun)
    if (isFirst || !ofRun.has(slug)) ofRun.set(slug, before)
  }

  /** What is to be told of a run; it counts as told from now on. */
  take(runId: string): ReadonlyMap<string | null, string> {
    const ofRun = this.#before.get(runId)
    this.#before.delete(runId)
    return ofRun ?? new Map<string | null, string>()
  }
}
