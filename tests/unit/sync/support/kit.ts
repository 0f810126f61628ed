import { expect } from 'vitest'
import { PgflowError } from '../../../../src/errors.ts'
import { createdStep, pendingRun, type RunSnapshot } from '../../../../src/model/entities.ts'
import type { RunChange } from '../../../../src/model/changes.ts'
import type { Scheduler } from '../../../../src/model/scheduler.ts'
import { RunStateWriter } from '../../../../src/store/run-state.ts'
import { createRunTables } from '../../../../src/store/run-tables.ts'
import { Runs } from '../../../../src/sync/runs.ts'
import type { TraceKind } from '../../../../src/sync/trace.ts'
import { SeqProbe } from '../../../../src/sync/seq-probe.ts'
import { TestPageActivity } from '../../../../src/testing/test-page-activity.ts'
import { settle, VirtualClock } from '../../../support/virtual-clock.ts'
import {
  ScriptedTransport,
  type ScriptedChannel,
  type ScriptedRequest,
} from './scripted-transport.ts'

/** What a test may change. */
export interface KitOptions {
  gcTime?: number
  maxChannels?: number
  isServer?: boolean
  isPrivate?: boolean
  /** Whether the database can be asked for the seqs of runs. */
  hasSeqs?: boolean
  /** Requests go on although they are given up. */
  ignoresAbort?: boolean
  /** Timers fire once a minute, as in a page that was not seen for long. */
  isThrottled?: boolean
  /** What the app does when it is told of a failure. */
  onReport?: (error: PgflowError) => void
  /** The dice: the middle unless given. */
  random?: () => number
}

/** The request of a start, where it does not matter which. */
export const anyStart = { flowSlug: 'f', input: {} }

/** The longest that a test waits for something to be asked, in virtual ms. */
const longestWait = 120_000

/**
 * The sync and the store's state over a transport that does what the test says, in virtual time:
 * nothing is answered, joined or sent, and no time passes, unless the test makes it so.
 */
export function createKit(options: KitOptions = {}) {
  const clock = new VirtualClock(options.random ?? (() => 0.5))
  let jumped = 0
  const scheduler: Scheduler = {
    now: () => clock.now() + jumped,
    after: options.isThrottled ? (_ms, task) => clock.after(60_000, task) : clock.after,
    random: clock.random,
  }
  const { hasSeqs, ignoresAbort } = options
  const transport = new ScriptedTransport(!options.isPrivate, hasSeqs, ignoresAbort)
  const told: string[] = []
  const state = createRunTables()
  const writer = new RunStateWriter(state, {
    onChange: (change) => told.push(summaryOf(change)),
    onOutput: () => undefined,
    onWrite: () => undefined,
    isListening: () => true,
  })
  const reported: PgflowError[] = []
  const traced: TraceKind[] = []
  const pageActivity = new TestPageActivity()
  let seen = 0
  const manager = new Runs({
    transport,
    probe: new SeqProbe(transport, scheduler, 10_000),
    scheduler,
    state: writer,
    pageActivity,
    times: {
      startTimeout: 10_000,
      snapshotTimeout: 10_000,
      gcTime: options.gcTime ?? 5_000,
      stallAfter: 120_000,
    },
    maxChannels: options.maxChannels ?? 90,
    isServer: options.isServer ?? false,
    report: (error) => {
      reported.push(error)
      options.onReport?.(error)
    },
    trace: ({ kind }) => traced.push(kind),
  })
  transport.watchSession((change) => manager.onSessionChange(change))

  /** The next request that was not looked at yet; lets time pass until there is one. */
  async function nextRequest(): Promise<ScriptedRequest> {
    await settle()
    const end = clock.time + longestWait
    while (transport.requests.length === seen && clock.time < end && (await clock.step()));
    const request = transport.requests[seen]
    if (!request) throw new Error('nothing is asked')
    seen += 1
    return request
  }

  /** The newest channel of a run. */
  function channelOf(runId: string): ScriptedChannel {
    const channel = transport.channels.findLast((other) => other.runId === runId)
    if (!channel) throw new Error(`no channel of ${runId} was ever opened`)
    return channel
  }

  /** Observes a run until it is live. */
  async function goLive(runId: string, seq: number) {
    const observation = manager.observe(runId)
    await channelOf(runId).join()
    await (await nextRequest()).reply(snapshot(runId, seq))
    expect(state.connections.value[runId]).toMatchObject({ status: 'live', seq })
    return observation
  }

  return {
    manager,
    clock,
    transport,
    state,
    /** Failures that no caller was told of. */
    reported,
    /** What the devtools were told of. */
    traced,
    /** What whoever listens was told of, such as `a created → started`. */
    told,
    nextRequest,
    channelOf,
    goLive,
    /** Brings the page to the front, or to the back. */
    show: (isVisible: boolean) => pageActivity.become({ isVisible }),
    /** The browser says that there is a network, or that there is none. */
    connect: (isOnline: boolean) => pageActivity.become({ isOnline }),
    /** The clock is set ahead or back by so many ms; timers run on. */
    jump: (ms: number) => (jumped += ms),
    status: (runId: string) => state.connections.value[runId]?.status,
    /** How many timers and listeners there are. */
    left: () => clock.pending + pageActivity.watchers,
    /** Whether it is looked at what becomes of the page. */
    isWatched: () => pageActivity.watchers > 0,
  }
}

function summaryOf(change: RunChange): string {
  if (change.kind === 'retry') return `${change.step.step_slug} again`
  const [name, row] =
    change.kind === 'run' ? ['run', change.run] : [change.step.step_slug, change.step]
  return `${name} ${change.from} → ${row.status}`
}

/** A run with one step `a`, as the database has it at `seq`. */
export function snapshot(
  runId: string,
  seq: number,
  status = 'started',
  stepStatus = 'created',
): RunSnapshot {
  const run = { ...pendingRun(runId, anyStart.flowSlug, anyStart.input), status }
  return { run, steps: [{ ...createdStep(runId, 'a'), status: stepStatus }], seq }
}

/** What a request is answered with by a server that is down. */
export const down = () => new PgflowError('unreachable', 'The server is down.')

/** The code that a promise is rejected with, or `none` when it is not. */
export function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'none',
    (thrown: unknown) => (thrown instanceof PgflowError ? thrown.code : String(thrown)),
  )
}
