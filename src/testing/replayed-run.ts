import type { RunSnapshot } from '../model/entities.ts'
import type { ReplayFrame } from './replay-frames.ts'
import type { RunRow, SnapshotRow } from './rows.ts'

/** A run whose states are not worked out but were recorded. */
export class ReplayedRun {
  readonly owner: string | null
  readonly #frames: readonly ReplayFrame[]
  #position = 0

  /** @param frames - at least one: where it begins. */
  constructor(frames: readonly ReplayFrame[], owner: string | null) {
    this.#frames = frames
    this.owner = owner
  }

  get run(): RunRow {
    return this.snapshot().run
  }

  /** How many frames have followed the first. */
  get position(): number {
    return this.#position
  }

  /** How many frames follow the first. */
  get length(): number {
    return this.#frames.length - 1
  }

  /** How long after the frame of now the next one came, in ms; null at the end. */
  get pause(): number | null {
    const [now, next] = this.#frames.slice(this.#position, this.#position + 2)
    return now && next ? Math.max(0, next.at - now.at) : null
  }

  /** Replays the next frame; null at the end. */
  next(): ReplayFrame | null {
    const frame = this.#frames[this.#position + 1]
    if (!frame) return null
    this.#position += 1
    return frame
  }

  /** The run as it is, or as it was some frames ago. */
  snapshot(age = 0): SnapshotRow {
    const frame = this.#frames[Math.max(0, this.#position - age)]
    if (!frame) throw new Error('no frame')
    return rowOf(frame.snapshot)
  }
}

/** A recorded snapshot as the database returns it: a copy, so that the recording is not changed. */
function rowOf({ run, steps, seq }: RunSnapshot): SnapshotRow {
  const started_at = run.started_at ?? ''
  return structuredClone({
    run: { ...run, started_at, remaining_steps: run.remaining_steps ?? 0 },
    steps: steps.map((step, index) => ({
      ...step,
      output: step.output ?? null,
      flow_slug: run.flow_slug,
      step_index: step.step_index ?? index,
      remaining_deps: 0,
      created_at: started_at,
      retry: step.retry ?? null,
    })),
    seq: seq ?? 0,
  })
}
