import { Flow } from '@pgflow/dsl'
import type { Browser, BrowserContext } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { launchChromium } from '../browser/support/chromium.ts'
import type { ServerProcess } from './support/command.ts'
import { installApp, makeFolder, pack, removeFolder } from './support/folders.ts'
import { expiredSession } from './support/expired-session.ts'
import { openGateway, type Gateway } from './support/gateway.ts'
import {
  buildNuxt,
  checkNuxtTypes,
  checkWithoutDsl,
  failureWith,
  serveNuxt,
} from './support/nuxt-app.ts'
import { untilHydrated, untilText, visit } from './support/site.ts'

/*
 * What was found in a real Nuxt app with the first edition, and the tests that see it right. The
 * app has @nuxtjs/supabase, except where a client of the app itself is named.
 *
 *  1  a run with a key __proto__ is a 500    keeps names in its values that Nuxt refuses
 *  2  a mismatch after a failed read         is an error in the HTML and the same in the first
 *                                            rendering; of a database that does not answer; a
 *                                            private run
 *  3  failed reads are repeated              asked for once; by nested components; costs one deadline
 *  4  hydrated values are reactive           its values can be cloned
 *  5  a mismatch in lists of nobody          a list of nobody is the same on both sides
 *  6  middleware asks again in the browser   asks on the server, and in the browser only when …
 *  7  the guide's page does not compile      compiles with typed pages: its pages are the guide's
 *  8  Node 20 has no WebSocket               all of them, on Node 20: the app has the guide's plugin
 *  9  cache headers are dropped              a renewed token is in no cache
 * 10  the 404 has no code                    is a 404 where a page says so; ends with 404
 *     types fail without @pgflow/dsl         compiles without @pgflow/dsl
 *     starting in a server's route           a route of the server starts a run
 */

const Greet = new Flow<{ name: string }>({ slug: 'greet' }).step(
  { slug: 'hello' },
  ({ run }) => `Hello ${run.name}`,
)
const read = 'get_run_with_states'
const noRun = '00000000-0000-4000-8000-000000000000'

let folder: string
let app: string
let gateway: Gateway
let server: ServerProcess
let browser: Browser
let context: BrowserContext
beforeAll(async () => {
  folder = await makeFolder()
  app = await installApp('nuxt', await pack(folder), folder)
  await buildNuxt(app, 'module')
  await buildNuxt(app, 'own')
  gateway = await openGateway({ flows: [Greet] })
  server = await serveNuxt(app, 'module', { url: gateway.url, key: gateway.backend.anonKey })
  browser = await launchChromium()
})
afterAll(async () => {
  await browser.close()
  await server.stop()
  await gateway.close()
  await removeFolder(folder)
})
beforeEach(async () => {
  context = await browser.newContext()
  gateway.forget()
})
afterEach(async () => {
  gateway.ignoresServers = false
  gateway.backend.worker.resume()
  await context.close()
})

const open = (path: string) => visit(context, `${server.url}${path}`)

async function startRun(input = '{"name":"Ada"}'): Promise<string> {
  const [row] = await gateway.backend.db.query<{ run_id: string }>(
    `select run_id from pgflow.start_flow('greet', $1::jsonb)`,
    [input],
  )
  return row?.run_id ?? ''
}

async function finishedRun(input?: string): Promise<string> {
  const runId = await startRun(input)
  await expect
    .poll(
      () => gateway.backend.db.query('select status from pgflow.runs where run_id = $1', [runId]),
      { timeout: 20_000 },
    )
    .toEqual([{ status: 'completed' }])
  return runId
}

describe('a run', () => {
  it('is in the HTML, is shown without a mismatch, and then goes live', async () => {
    gateway.backend.worker.pause()
    const runId = await startRun()
    const { page, console, html } = await open(`/runs/${runId}`)
    expect(html).toContain('started (idle)')
    expect(html).toContain('hello: started')
    await untilText(page, 'p', 'started (live)')
    gateway.backend.worker.resume()
    await untilText(page, 'p', 'completed (closed)')
    expect(gateway.byServers).toEqual([read])
    console.check()
  })

  it('that has ended is requested once on the server and never by the page', async () => {
    const runId = await finishedRun()
    const { page, console, html } = await open(`/details/${runId}`)
    expect(html).toContain('completed')
    await untilHydrated(page)
    // Four components: two of them nested, with `await ready`.
    expect(gateway.byServers).toEqual([read])
    expect(gateway.byPages).toEqual([])
    console.check()
  })

  it('keeps names in its values that Nuxt refuses, and its values can be cloned', async () => {
    const input = '{"name":"Ada","__proto__":{"constructor":[1]}}'
    const { page, console, status } = await open(`/details/${await finishedRun(input)}`)
    expect(status).toBe(200)
    await untilText(page, '[data-part=copied]', '__proto__')
    const copied = await page.locator('[data-part=copied]').textContent()
    expect(copied).toBe(await page.locator('[data-part=input]').textContent())
    expect(copied).toContain('"__proto__":{"constructor":[1]}')
    console.check()
  })

  it('is started and followed in pages that only the browser has shown', async () => {
    const { page, console } = await open('/')
    await page.getByRole('link').click()
    await page.getByRole('button', { name: 'Start' }).click()
    await page.getByRole('link').click()
    await untilText(page, 'p', 'completed (closed)')
    expect(gateway.byServers).toEqual([])
    console.check()
  })
})

describe('a run that cannot be read', () => {
  it('is an error in the HTML and the same in the first rendering, requested once', async () => {
    const { page, console, status, html } = await open(`/runs/${noRun}`)
    expect(status).toBe(200)
    expect(html).toContain('role="alert"')
    await untilHydrated(page)
    await untilText(page, '[role=alert]', 'run')
    expect(gateway.byServers).toEqual([read])
    console.check()
  })

  it('is requested once by nested components that wait for it', async () => {
    const { page, console, html } = await open(`/details/${noRun}`)
    expect(html.match(/run_not_found<\/p>/g)).toHaveLength(2)
    await untilHydrated(page)
    expect(gateway.byServers).toEqual([read])
    console.check()
  })

  it.each([noRun, 'no-id'])('is a 404 where a page chooses that: %s', async (id) => {
    const { page, console, status } = await open(`/strict/${id}`)
    console.expect(/404/)
    expect(status).toBe(404)
    await untilText(page, '[data-part=status]', '404')
    console.check()
  })

  it('of a database that does not respond costs one deadline, and the browser gets it', async () => {
    const runId = await finishedRun()
    gateway.ignoresServers = true
    const { page, console, html } = await open(`/details/${runId}`)
    expect(html.match(/timeout<\/p>/g)).toHaveLength(2)
    expect(gateway.byServers).toEqual([read])
    await untilText(page, 'p', 'completed')
    console.check()
  })
})

describe('middleware', () => {
  it('asks on the server, and in the browser only when it goes from page to page', async () => {
    const runId = await finishedRun()
    const { page, console } = await open(`/guarded/${runId}`)
    await untilHydrated(page)
    expect(gateway.byServers).toEqual([read])
    expect(gateway.byPages).toEqual([])
    gateway.forget()
    await page.getByRole('link').click()
    await page.getByRole('link', { name: 'again' }).click()
    await untilText(page, 'p', 'completed')
    expect(gateway.byServers).toEqual([])
    expect(gateway.byPages).toEqual([read])
    console.check()
  })

  it.each([noRun, 'no-id'])('ends with 404 for what is no run: %s', async (id) => {
    const { console, status } = await open(`/guarded/${id}`)
    console.expect(/404/)
    expect(status).toBe(404)
    console.check()
  })
})

it('a list of nobody is the same on both sides', async () => {
  const { page, console, html } = await open('/list')
  // The browser reports the answer of the read that follows the mount.
  console.expect(/401/)
  expect(html).toContain('data-part="connection">closed')
  await untilHydrated(page)
  await untilText(page, '[role=alert]', 'not_signed_in')
  console.check()
})

it('a route of the server starts a run, and a page follows it', async () => {
  const options = { method: 'POST', body: '{"name":"Ada"}' }
  const answer = await fetch(`${server.url}/api/greet`, options)
  expect(answer.status).toBe(200)
  const { run_id } = (await answer.json()) as { run_id: string }
  expect(gateway.byServers).toEqual(['start_flow_with_states'])
  const { page, console } = await open(`/runs/${run_id}`)
  await untilText(page, 'p', 'completed (closed)')
  console.check()
})

it('a client of the app itself renders runs, and a renewed token is in no cache', async () => {
  const project = { url: gateway.url, key: gateway.backend.anonKey }
  const own = await serveNuxt(app, 'own', project)
  try {
    const runId = await finishedRun()
    const { page, console, html } = await visit(context, `${own.url}/runs/${runId}`)
    expect(html).toContain('completed (')
    await untilText(page, 'p', 'completed (')
    console.check()
    const headers = { cookie: await expiredSession(gateway, 'grace@example.com') }
    const answer = await fetch(`${own.url}/runs/${runId}`, { headers })
    expect(await answer.text()).toContain('completed (')
    expect(answer.headers.getSetCookie().join()).toContain('auth-token')
    expect(answer.headers.get('cache-control')).toContain('no-store')
  } finally {
    await own.stop()
  }
})

it('a private run is in the HTML of its owner, and unknown to everybody else', async () => {
  const { db } = gateway.backend
  await db.query(`select pgflow_realtime.set_visibility('private')`)
  const project = { url: gateway.url, key: gateway.backend.anonKey, isPrivate: true }
  const own = await serveNuxt(app, 'module', project)
  try {
    const { page, console } = await visit(context, `${own.url}/account`)
    await untilHydrated(page)
    await page.getByLabel('Email').fill('ada@example.com')
    await page.getByRole('button', { name: 'Sign up' }).click()
    await untilText(page, '[data-part=user]', 'ada@example.com')
    gateway.backend.worker.pause()
    await page.getByRole('button', { name: 'Start' }).click()
    const runId = (await page.getByRole('link').textContent()) ?? ''
    const path = `${own.url}/runs/${runId}`
    const ownersPage = await visit(context, path)
    expect(ownersPage.html).toContain('hello: ')
    // On public channels nothing is sent of it, and it would be polled.
    await untilText(ownersPage.page, 'p', 'started (live)')
    gateway.backend.worker.resume()
    await untilText(ownersPage.page, 'p', 'completed (closed)')
    ownersPage.console.check()
    console.check()

    const stranger = await browser.newContext()
    const strangersPage = await visit(stranger, path)
    expect(strangersPage.html).not.toContain('hello: ')
    expect(strangersPage.html).toContain('role="alert"')
    await untilHydrated(strangersPage.page)
    strangersPage.console.check()
    const strict = await stranger.request.get(`${own.url}/strict/${runId}`)
    expect(strict.status()).toBe(404)
    await stranger.close()
  } finally {
    await own.stop()
    await db.query(`select pgflow_realtime.set_visibility('public')`)
  }
})

describe('the module', () => {
  it('compiles with typed pages, and so do its own files', async () => {
    await checkNuxtTypes(app)
  }, 300_000)

  it('compiles without @pgflow/dsl, with its declarations checked', async () => {
    await checkWithoutDsl(app)
  }, 120_000)

  it('reports what is missing when it is loaded', async () => {
    expect(await failureWith(app, ['pinia-pgflow/nuxt', '@nuxtjs/supabase'])).toContain(
      'Add @pinia/nuxt to modules',
    )
    expect(await failureWith(app, ['pinia-pgflow/nuxt', '@pinia/nuxt'])).toContain(
      'needs a Supabase client',
    )
  }, 300_000)
})
