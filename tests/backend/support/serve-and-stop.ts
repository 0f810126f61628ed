import { setTimeout as wait } from 'node:timers/promises'
import { createServer } from 'vite'
import type { BackendCore } from '../../../playground/backend/index.ts'
import { playgroundConfig } from '../../../playground/config.ts'

/** Run as a process of its own: the playground, in the middle of maps of many rows. */
const server = await createServer({
  ...playgroundConfig({ paceMs: 100, backend: { onReady: (backend) => void start(backend) } }),
  configFile: false,
  logLevel: 'silent',
  server: { host: '127.0.0.1', port: 0 },
})
await server.listen()

async function start({ db }: BackendCore): Promise<void> {
  await db.query(
    `select pgflow.start_flow('analyze_csv', jsonb_build_object('csv',
       (select 'a,b' || string_agg(chr(10) || n || ',' || n, '') from generate_series(1, 400) as n)
     )) from generate_series(1, 10)`,
  )
  let rows: unknown[] = []
  while (rows.length === 0) {
    await wait(20)
    rows = await db.query(`select from pgflow.step_tasks where step_slug = 'inspect_rows' limit 1`)
  }
  console.log('started')
}
