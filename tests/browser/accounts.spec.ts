import { describe, expect, onTestFinished } from 'vitest'
import type { App } from './support/app.ts'
import { test } from './support/test.ts'

async function type(app: App, email: string, password: string): Promise<void> {
  await app.page.getByLabel('Email address').fill(email)
  await app.page.getByLabel('Password').fill(password)
}

const signedInAs = (app: App, name: string | RegExp) =>
  app.main.locator('[data-part="account"]').filter({ hasText: name }).waitFor()

describe('an account', () => {
  test('is signed up for, out of and in to, and has its runs again', async ({ app }) => {
    const email = `${crypto.randomUUID()}@example.com`
    await app.visit('Account')
    await signedInAs(app, /^Guest/)
    await app.shoot('account-guest')
    const warning = app.main.getByText('What you have run as a guest stays with the guest')
    await warning.waitFor()
    await app.page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await expect.poll(() => app.main.getByRole('alert').innerText()).toBe('Type an email address.')
    await type(app, email, 'a long password')
    await app.page.getByRole('button', { name: 'Sign up' }).click()
    await signedInAs(app, email)
    await app.visit('Flows')
    await app.start('Analyse a text')
    await app.untilRun('Done')

    await app.visit('Account')
    await app.page.getByRole('button', { name: 'Sign out' }).click()
    await signedInAs(app, 'Not signed in')
    // Nothing can be lost any more.
    await expect.poll(() => warning.count()).toBe(0)
    app.console.expect(/Failed to load resource.* 401/)
    await app.visit('Runs')
    await app.main.getByText('Nobody is signed in.').waitFor()
    await app.shoot('runs-signed-out')

    app.console.expect(/Failed to load resource.* 400/)
    await app.visit('Account')
    await type(app, email, 'another password')
    await app.page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await app.main.getByText('There is no account with this email address').waitFor()
    await type(app, email, 'a long password')
    await app.page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await signedInAs(app, email)
    await app.visit('Runs')
    await app.rows.filter({ hasText: 'Analyse a text' }).waitFor()
  })

  test('of a guest survives a reload, and each guest has a list of their own', async ({
    app,
    visit,
  }) => {
    await app.start('Analyse a text')
    await app.untilRun('Done')
    await app.page.reload()
    await app.visit('Runs')
    await app.rows.waitFor()
    const other = await visit()
    await other.visit('Runs')
    await other.main.getByText('You have started nothing yet.').waitFor()
  })
})

describe('private runs', () => {
  test('are seen by who started them, and by nobody else', async ({ app, visit, playground }) => {
    const { db, worker } = playground.backend
    onTestFinished(async () => {
      await db.query(`select pgflow_realtime.set_visibility('public')`)
    })
    await app.visit('Account')
    await app.page.getByRole('button', { name: 'Private runs' }).click()
    await app.page.getByRole('button', { name: 'Private runs', pressed: true }).waitFor()
    await app.shoot('account-private')

    worker.pause()
    await app.visit('Flows')
    await app.start('Analyse a text', 'A private and lovely text.')
    await app.openRun()
    await app.untilConnection('live')

    const other = await visit()
    await other.page.goto(app.page.url())
    await other.heading.filter({ hasText: 'No run to show' }).waitFor()
    await other.main.getByRole('alert').filter({ hasText: 'or it is not yours' }).waitFor()
    await other.shoot('private-run-of-another')
    await other.visit('Runs')
    await other.main.getByText('You have started nothing yet.').waitFor()

    await app.visit('Runs')
    await app.untilConnection('live')
    worker.resume()
    await app.rows.filter({ hasText: 'Done' }).waitFor()
    expect(await other.rows.count()).toBe(0)
  })

  test('of two users are apart, both ways, also in one browser', async ({
    app,
    visit,
    playground,
  }) => {
    const { db } = playground.backend
    onTestFinished(async () => {
      await db.query(`select pgflow_realtime.set_visibility('public')`)
    })
    await app.visit('Account')
    await app.page.getByRole('button', { name: 'Private runs' }).click()
    await app.page.getByRole('button', { name: 'Private runs', pressed: true }).waitFor()
    const other = await visit()
    const emails = [`${crypto.randomUUID()}@example.com`, `${crypto.randomUUID()}@example.com`]
    const addresses: string[] = []
    for (const [index, each] of [app, other].entries()) {
      await each.visit('Account')
      await type(each, emails[index] ?? '', 'a long password')
      await each.page.getByRole('button', { name: 'Sign up' }).click()
      await signedInAs(each, emails[index] ?? '')
      await each.visit('Flows')
      await each.start(index === 0 ? 'Analyse a text' : 'Summarise a table')
      await each.untilRun('Done')
      await each.openRun()
      addresses.push(each.page.url())
    }
    const [first = '', second = ''] = addresses
    for (const [each, address] of [
      [app, second],
      [other, first],
    ] as const) {
      await each.page.goto(address)
      await each.main.getByRole('alert').filter({ hasText: 'or it is not yours' }).waitFor()
    }
    await other.visit('Runs')
    await other.rows.filter({ hasText: 'Summarise a table' }).waitFor()
    await expect.poll(() => other.rows.count()).toBe(1)

    // The second user comes to the browser of the first one: nothing of the first is left there.
    await app.visit('Runs')
    await app.rows.filter({ hasText: 'Analyse a text' }).waitFor()
    await app.visit('Account')
    await app.page.getByRole('button', { name: 'Sign out' }).click()
    await signedInAs(app, 'Not signed in')
    await type(app, emails[1] ?? '', 'a long password')
    await app.page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await signedInAs(app, emails[1] ?? '')
    await app.visit('Runs')
    await app.rows.filter({ hasText: 'Summarise a table' }).waitFor()
    await expect.poll(() => app.rows.count()).toBe(1)
    await app.page.goto(second)
    await app.untilRun('Done')
  })
})
