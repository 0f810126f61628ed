import { describe, expect } from 'vitest'
import { test } from './support/test.ts'

describe('a page that goes offline', () => {
  test('shows it, and is right again when it is back', async ({ app, playground }) => {
    const { worker } = playground.backend
    const sync = app.page.getByRole('status', { name: 'Connection' })
    worker.pause()
    await app.start('Analyse a text', 'A short and lovely text.')
    await app.untilConnection('live')
    await sync.filter({ hasText: 'Live' }).waitFor()

    // Of a request or a socket that is under way when the network goes.
    app.console.allow(/net::ERR_INTERNET_DISCONNECTED|WebSocket connection to .* failed/)
    await app.page.context().setOffline(true)
    playground.backend.realtime.faults.killSockets()
    await app.untilConnection('offline')
    await sync.filter({ hasText: 'Connection lost' }).waitFor()
    await app.shoot('offline')
    worker.resume()
    await expect
      .poll(async () => {
        const sql = `select count(*)::int as open from pgflow.runs where status = 'started'`
        const [row] = await playground.backend.db.query<{ open: number }>(sql)
        return row?.open
      })
      .toBe(0)
    expect(await app.step('report').getAttribute('data-status')).not.toBe('completed')

    await app.page.context().setOffline(false)
    await app.untilRun('Done')
    await app.untilConnection('closed')
    expect(await app.main.getByRole('alert').count()).toBe(0)
  })
})
