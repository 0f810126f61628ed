import type { Message } from './rows.ts'
import type { ReplayedRun } from './replayed-run.ts'

/**
 * A recorded run in the database of a test, at the first of its moments.
 *
 * @example
 * const pgflow = createTestPgflow()
 * const replay = pgflow.replay(recording)
 * const wrapper = mount(App, { global: { plugins: [createPinia(), pgflow] } })
 * await replay.play()
 */
export interface RunReplay {
  readonly runId: string
  /** The slug of its flow. */
  readonly flow: string
  /** How many moments follow the first. */
  readonly length: number
  /** How many of them have been replayed. */
  readonly position: number
  /**
   * Replays the next moment. Resolves when the store and the DOM show it, with false when there is
   * none.
   */
  next: () => Promise<boolean>
  /**
   * Replays all moments; the store and the DOM show each in between. The library's time advances as
   * recorded, but by at most 10 s between two moments, and by 2 s at the end.
   */
  play: () => Promise<void>
}

/** What a replay needs from its environment. */
export interface RunReplayContext {
  run: ReplayedRun
  send: (message: Omit<Message, 'topic'>) => void
  settled: () => Promise<void>
  /** Lets time pass, in ms. */
  pass: (ms: number) => Promise<void>
}

/** In ms. In a longer pause nothing further happens: every poll has been sent by then. */
const longestPause = 10_000
/** In ms. Requests for lost broadcasts are sent once a second. */
const lastReads = 2_000

/** A hand on a recorded run. */
export function createRunReplay({ run, send, settled, pass }: RunReplayContext): RunReplay {
  const { run_id, flow_slug } = run.run

  async function next(): Promise<boolean> {
    await settled()
    const frame = run.next()
    if (!frame) return false
    if (frame.message) send(frame.message)
    await settled()
    return true
  }

  return {
    runId: run_id,
    flow: flow_slug,
    length: run.length,
    get position() {
      return run.position
    },
    next,
    play: async () => {
      for (let pause = run.pause; pause !== null; pause = run.pause) {
        await pass(Math.min(pause, longestPause))
        await next()
      }
      await pass(lastReads)
    },
  }
}
