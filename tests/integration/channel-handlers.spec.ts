import { Flow } from '@pgflow/dsl'
import { describe, expect, it } from 'vitest'
import { PgflowError } from '../../src/errors.ts'
import { createListTransport } from '../../src/transport/list-transport.ts'
import { createSupabaseTransport } from '../../src/transport/supabase-transport.ts'
import type { RunChannelHandlers } from '../../src/transport/types.ts'
import { until } from '../support/backend.ts'
import { useBackend } from '../support/fixture.ts'
import { fastScheduler } from '../support/fast-scheduler.ts'
import { uncaughtDuring } from '../support/uncaught.ts'

// Several apps share the channel of a topic: what one of them throws is no matter of the others.

const Wait = new Flow<{ n: number }>({ slug: 'wait' }).step({ slug: 'only' }, async () => {
  await fixture.gate.wait()
  return 1
})

const fixture = useBackend([Wait])

const connection = (isPrivate: boolean) => ({
  ...{ supabase: fixture.supabase, isPrivate },
  scheduler: fastScheduler(20),
  schema: 'pgflow_client' as const,
})
const transport = (isPrivate = false) => createSupabaseTransport(connection(isPrivate))

/** Handlers that note what they hear, and throw at what the test says. */
function listener(throwsAt: (keyof RunChannelHandlers)[] = []) {
  const heard: string[] = []
  const hear = (at: keyof RunChannelHandlers, what: string) => {
    heard.push(what)
    if (throwsAt.includes(at)) throw new Error(`thrown at ${at}`)
  }
  const handlers: RunChannelHandlers = {
    onEvent: ({ type }) => hear('onEvent', type),
    onJoined: () => hear('onJoined', 'joined'),
    onDown: ({ code }) => hear('onDown', code),
    onMalformed: ({ code }) => hear('onMalformed', code),
  }
  return { heard, handlers }
}

const start = async (runId: string) => {
  const { signal } = new AbortController()
  return (await transport().startFlow('wait', { n: 1 }, runId, signal)).run.run_id
}
const everything: (keyof RunChannelHandlers)[] = ['onEvent', 'onJoined', 'onDown', 'onMalformed']

describe('a handler that throws', () => {
  it.each(everything)('at %s is notified that it has missed something', async (at) => {
    const bad = listener([at])
    const good = listener()
    const runId = crypto.randomUUID()
    const open = transport()
    const channels = [bad, good].map(({ handlers }) => open.openChannel(runId, handlers))
    const uncaught = await uncaughtDuring(async () => {
      await until(() => good.heard.includes('joined'))
      await start(runId)
      fixture.gate.open()
      await until(() => good.heard.includes('run:completed'))
      fixture.backend.realtime.faults.killSockets()
      await until(() => good.heard.includes('channel_failed'))
      await until(() => good.heard.at(-1) === 'joined')
    })
    expect(uncaught).toEqual([])
    expect(good.heard).toEqual(
      expect.arrayContaining(['joined', 'run:completed', 'channel_failed']),
    )
    expect(good.heard).not.toContain('malformed_message')
    expect(bad.heard.includes('malformed_message')).toBe(at !== 'onMalformed')
    for (const channel of channels) channel.close()
  })

  it('at everything, and comes late, keeps nobody from hearing', async () => {
    const runId = crypto.randomUUID()
    const open = transport()
    const first = listener(everything)
    const channels = [open.openChannel(runId, first.handlers)]
    await until(() => first.heard.includes('joined'))
    const late = listener(everything)
    const last = listener()
    const uncaught = await uncaughtDuring(async () => {
      channels.push(open.openChannel(runId, late.handlers))
      channels.push(open.openChannel(runId, last.handlers))
      await until(() => last.heard.includes('joined'))
      await start(runId)
      fixture.gate.open()
      await until(() => last.heard.includes('run:completed'))
    })
    expect(uncaught).toEqual([])
    expect(late.heard).toEqual(expect.arrayContaining(['joined', 'malformed_message']))
    for (const channel of channels) channel.close()
  })

  it('where the topic belongs to another library: both are notified', async () => {
    const runId = crypto.randomUUID()
    fixture.supabase.channel(`pgflow:run:${runId}`).subscribe()
    const bad = listener(everything)
    const good = listener()
    const open = transport()
    let channels: { close: () => void }[] = []
    const uncaught = await uncaughtDuring(async () => {
      channels = [bad, good].map(({ handlers }) => open.openChannel(runId, handlers))
      await until(() => good.heard.includes('channel_taken'))
    })
    expect(uncaught).toEqual([])
    expect(bad.heard).toContain('channel_taken')
    for (const channel of channels) channel.close()
  })
})

it('a feed whose handlers throw still follows the next user who signs in', async () => {
  const bad = listener(everything)
  const feed = createListTransport(connection(true)).openFeed?.(bad.handlers)
  const uncaught = await uncaughtDuring(async () => {
    await until(() => bad.heard.includes('not_signed_in'))
    await fixture.supabase.auth.signUp({
      email: `${crypto.randomUUID()}@example.com`,
      password: 'a long password',
    })
    // Nobody has said that runs are private here: there is no policy that lets them in.
    await until(() => bad.heard.includes('channel_refused'))
  })
  expect(uncaught).toEqual([])
  feed?.close()
})

describe('a channel that cannot be built', () => {
  it('is down for everybody, with the reason, and built again', async () => {
    const build = fixture.supabase.channel.bind(fixture.supabase)
    let failures = 2
    fixture.supabase.channel = (...given) => {
      failures -= 1
      // What a program throws need not be an error.
      if (failures === 1) throw new Error('WebSocket not available')
      if (failures === 0) throw Object.create(null)
      return build(...given)
    }
    const [bad, good] = [listener(everything), listener()]
    const open = transport()
    let channels: { close: () => void }[] = []
    const runId = crypto.randomUUID()
    const uncaught = await uncaughtDuring(async () => {
      channels = [bad, good].map(({ handlers }) => open.openChannel(runId, handlers))
      await until(() => good.heard.includes('joined'))
    })
    expect(uncaught).toEqual([])
    expect(good.heard.slice(0, 3)).toEqual(['channel_failed', 'channel_failed', 'joined'])
    expect(bad.heard).toContain('joined')
    for (const channel of channels) channel.close()
  })

  it('reports what the handler has thrown', async () => {
    const taken = new PgflowError('timeout', 'no token')
    fixture.supabase.channel = () => {
      throw taken
    }
    const heard: PgflowError[] = []
    const { handlers } = listener()
    const channel = transport().openChannel(crypto.randomUUID(), {
      ...handlers,
      onDown: (error) => heard.push(error),
    })
    await until(() => heard.length > 0)
    channel.close()
    expect(heard[0]).toMatchObject({ code: 'timeout', message: 'Realtime: no token', cause: taken })
  })
})
