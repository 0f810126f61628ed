import { flows } from '../flows/index.ts'
import { readArguments } from './cli-arguments.ts'
import { createBackend, type Backend } from './index.ts'

const usage = `Usage: npm run backend [-- --port 54321]

  --port   The port on 127.0.0.1. Default: any free one.
  --help   Shows this.
`

/** Runs the embedded Supabase alone until it is told to stop. */
async function main(args: readonly string[]): Promise<void> {
  const { port, help } = readArguments(args)
  if (help) return void process.stdout.write(usage)
  // How long steps take to be followed by people; see playground/config.ts.
  const env = { ...process.env, PLAYGROUND_PACE_MS: process.env.PLAYGROUND_PACE_MS ?? '450' }
  const backend = await createBackend({ flows, port, worker: { env } })
  const stop = () => void backend.close()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
  process.stdout.write(describe(backend))
}

function describe({ url, anonKey, serviceRoleKey }: Backend): string {
  return `An embedded Supabase is running: in memory, for development only.

URL:               ${url}
anon key:          ${anonKey}
service role key:  ${serviceRoleKey}

Use it as any project, with supabase-js and pinia-pgflow:

  const supabase = createClient('${url}', '<anon key>')
  await supabase.auth.signInAnonymously() // or signUp(); only private runs need it
  app.use(createPgflow({ supabase }))

Flows to start: ${flows.map(({ slug }) => slug).join(', ')}.

The playground, or any page of this machine, works with it too:

  VITE_SUPABASE_URL=${url} VITE_SUPABASE_ANON_KEY=<anon key> npm start

What networks and servers do wrong, it does when asked, such as to lose every second message:

  curl -X PATCH ${url}/embedded/v1/faults -H 'apikey: <anon key>' -d '{"dropShare": 0.5}'
  curl -X POST ${url}/embedded/v1/faults/reset -H 'apikey: <anon key>'

Ctrl+C stops it. Then all its data is gone, and the keys of the next start are others.
`
}

try {
  await main(process.argv.slice(2))
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
