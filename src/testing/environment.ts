import type { App } from 'vue'
import type { PgflowError } from '../errors.ts'
import type { TraceRecord } from '../sync/trace.ts'
import { systemScheduler } from '../model/scheduler.ts'
import { resolveConfig } from '../options.ts'
import { pluginOf } from '../plugin.ts'
import { AutoPlay } from './auto-play.ts'
import { Channels } from './channels.ts'
import { MemoryDatabase } from './database.ts'
import { defineFlow } from './definition.ts'
import { createMemoryTransport, type TestRequest } from './memory-transport.ts'
import { RequestFaults } from './request-faults.ts'
import { createSession } from './session.ts'
import { TestPageActivity } from './test-page-activity.ts'
import { timeOf, virtualTime, type TestTime } from './time.ts'
import type { TestPgflowOptions } from './types.ts'

/** Everything that a test's app runs in: its parts, brought together. */
export type Environment = ReturnType<typeof createEnvironment>

/** Makes the environment of one test. */
export function createEnvironment(options: TestPgflowOptions) {
  const time = timeFor(options)
  const pageActivity = new TestPageActivity()
  const session = createSession(options.user === undefined ? 'test-user' : options.user)
  const { autoPlay = false, private: isPrivate = false } = options
  const worker = new AutoPlay(time, typeof autoPlay === 'object' ? autoPlay.pace : 0)
  const mayListen = (topic: string): boolean => database.mayListen(topic, session.user())
  const channels: Channels = new Channels({ scheduler: time, pageActivity, mayListen })
  const database = new MemoryDatabase({
    flows: Object.entries(options.flows ?? {}).map(([slug, flow]) => defineFlow(slug, flow)),
    isPrivate,
    maxPayloadBytes: options.maxPayloadBytes ?? 200_000,
    onMessage: channels.send,
    onStart: autoPlay === false ? () => {} : worker.play,
  })
  const faults = new RequestFaults(pageActivity)
  const requests: TestRequest[] = []
  const transport = createMemoryTransport({
    ...{ database, channels, faults, isPrivate, session },
    onRequest: (request) => requests.push(request),
  })
  const { flows: _flows, schemas: flows, ...shared } = options
  const config = resolveConfig({ ...shared, flows, scheduler: time }, transport, transport)
  const reported: PgflowError[] = []
  const traced: TraceRecord[] = []
  const trace = (record: TraceRecord) => {
    traced.push(record)
    config.trace?.(record)
  }
  const report = (error: PgflowError) => {
    reported.push(error)
    config.report(error)
  }
  const plugin = pluginOf({ ...config, pageActivity, report, trace })
  let apps = 0
  function install(app: App): void {
    app.use(plugin)
    apps += 1
    app.onUnmount(() => {
      apps -= 1
      if (apps === 0) worker.stop()
    })
  }
  return {
    time,
    transport,
    pageActivity,
    channels,
    database,
    session,
    worker,
    faults,
    requests,
    reported,
    traced,
    install,
  }
}

function timeFor({ realTime = false, scheduler }: TestPgflowOptions): TestTime {
  if (scheduler) return timeOf(scheduler)
  return realTime ? timeOf(systemScheduler()) : virtualTime()
}
