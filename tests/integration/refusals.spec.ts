import { Flow } from '@pgflow/dsl'
import { createClient, type SupabaseClient } from '@supabase/supabase-js'
import { SignJWT } from 'jose'
import { useRun, type PgflowErrorCode } from 'pinia-pgflow'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { mountApp } from '../support/app.ts'
import { until } from '../support/backend.ts'
import { useBackend } from '../support/fixture.ts'
import { fastScheduler } from '../support/fast-scheduler.ts'

/** Waits of minutes are seen in seconds; answers may take as long as they really do. */
const fast = { scheduler: fastScheduler(30), startTimeout: 300_000, snapshotTimeout: 300_000 }
const Wait = new Flow<{ name: string }>({ slug: 'wait' }).step({ slug: 'only' }, async () => {
  await fixture.gate.wait()
  return 'done'
})

const fixture = useBackend([Wait])
let runId: string
beforeEach(async () => {
  runId = await fixture.startRun('wait', { name: 'Ada' })
})
afterEach(async () => {
  Object.assign(fixture.backend.realtime.settings, {
    privateOnly: false,
    maxChannelsPerSocket: 100,
  })
  await fixture.backend.db.exec('drop policy if exists everybody on realtime.messages')
})

/** A client with a token that REST takes and Realtime does not: it never expires. */
async function clientWithoutExpiry(): Promise<SupabaseClient> {
  const token = await new SignJWT({ role: 'anon' })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .sign(new TextEncoder().encode(fixture.backend.keys.secret))
  const made = createClient(fixture.backend.url, fixture.backend.anonKey, {
    accessToken: () => Promise.resolve(token),
    // Typed for browsers; `ws` has what is needed of it.
    realtime: { transport: WebSocket as unknown as typeof globalThis.WebSocket },
  })
  return fixture.own(made)
}

interface Case {
  what: string
  code: PgflowErrorCode
  message: RegExp
  isPrivate?: true
  arrange?: () => void
  mend: () => void | Promise<void>
}

describe('a channel that Realtime refuses', () => {
  it.each<Case>([
    {
      what: 'a public one, where the project allows only private ones',
      code: 'private_only',
      message: /PrivateOnly/,
      arrange: () => (fixture.backend.realtime.settings.privateOnly = true),
      mend: () => void (fixture.backend.realtime.settings.privateOnly = false),
    },
    {
      what: 'a private one, where no policy lets this user listen',
      code: 'channel_refused',
      message: /permissions to read/,
      isPrivate: true,
      mend: () =>
        fixture.backend.db.exec(
          `create policy everybody on realtime.messages for select to anon using (true)`,
        ),
    },
    {
      what: 'one too many for the socket',
      code: 'rate_limited',
      message: /Too many channels/,
      arrange: () => (fixture.backend.realtime.settings.maxChannelsPerSocket = 0),
      mend: () => void (fixture.backend.realtime.settings.maxChannelsPerSocket = 100),
    },
  ])('$what [F22] [F27] [F30]', async ({ code, message, isPrivate, arrange, mend }) => {
    arrange?.()
    const { result, wrapper, reported } = mountApp(
      fixture.client(),
      () => useRun<typeof Wait>(runId),
      {
        ...fast,
        ...(isPrivate && { private: true }),
      },
    )
    await until(() => result.connection.value.status === 'polling')
    expect(result.error.value).toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
      hint: expect.stringMatching(/\w{3,}/) as string,
    })
    expect(reported.map((error) => error.code)).toContain(code)
    expect(result.run.value?.status).toBe('started')

    // Tried again by itself: once the cause is mended the run is live, and nothing is wrong.
    await mend()
    await until(() => result.connection.value.status === 'live')
    expect(result.error.value).toBeNull()
    wrapper.unmount()
  })

  it('because of its token: the run is polled to its end [F30]', async () => {
    const supabase = await clientWithoutExpiry()
    const { result, traced, wrapper } = mountApp(supabase, () => useRun<typeof Wait>(runId), fast)
    await until(() => result.connection.value.status === 'polling')
    expect(result.error.value).toMatchObject({ code: 'unauthorized' })
    fixture.gate.open()
    await until(() => result.run.value?.status === 'completed')
    expect(result.step('only')?.output).toBe('done')
    await until(() => result.connection.value.status === 'closed')
    expect(traced('event')).toBe(0)
    expect(result.error.value).toBeNull()
    wrapper.unmount()
  })
})
