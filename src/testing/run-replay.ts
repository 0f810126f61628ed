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
  /** How many of them have been. */
  readonly position: number
  /**
   * Goes on to the next moment. Resolves when the store and the DOM show it: with false when there
   * is none.
   */
  next: () => Promise<boolean>
  /**
   * Goes on to the last moment; the store and the DOM show each in between. For the library the time
   * passes that passed then, but at most 10 s between two moments, and 2 s at the end.
   */
  play: () => Promise<void>
}

/** What a replay needs of its environment. */
export interface RunReplayContext {
  run: ReplayedRun
  send: (message: Omit<Message, 'topic'>) => void
  settled: () => Promise<void>
  /** Lets time pass, in ms. */
  pass: (ms: number) => Promise<void>
}

/** Whatever happens in a longer pause, such as polling, has happened by then. In ms. */
const longestPause = 10_000
/** Reads because of what was missed are made once a second. In ms. */
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
