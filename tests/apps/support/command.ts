import { spawn, type ChildProcess } from 'node:child_process'
import { createServer } from 'node:net'

type Environment = Record<string, string>

/** Runs a command to its end. @throws Error with all that it printed when it fails. */
export async function run(
  command: readonly [string, ...string[]],
  cwd: string,
  env: Environment = {},
): Promise<string> {
  const { child, printed } = start(command, cwd, env)
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}:\n${printed()}`)
  return printed()
}

/** A server in a process of its own. */
export interface ServerProcess {
  url: string
  /** What it has printed so far. */
  printed: () => string
  stop(): Promise<void>
}

/** Starts a server on a free port, which it is told as `PORT`, and waits until it answers. */
export async function serve(
  command: readonly [string, ...string[]],
  cwd: string,
  env: Environment,
): Promise<ServerProcess> {
  const port = String(await freePort())
  const { child, printed } = start(command, cwd, { ...env, HOST: '127.0.0.1', PORT: port })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const listens = new Promise<void>((resolve) => {
    const look = () => {
      if (printed().includes(port)) resolve()
    }
    child.stdout?.on('data', look)
    child.stderr?.on('data', look)
  })
  const failed = ended.then(() => {
    throw new Error(`${command.join(' ')} did not start:\n${printed()}`)
  })
  await Promise.race([listens, failed])
  failed.catch(() => {})
  return {
    url: `http://127.0.0.1:${port}`,
    printed,
    async stop() {
      child.kill()
      await ended
    },
  }
}

function start([name, ...args]: readonly [string, ...string[]], cwd: string, env: Environment) {
  // What Vitest sets is not for the apps: they are built for production.
  const { NODE_ENV: _, VITEST: __, ...own } = process.env
  const child: ChildProcess = spawn(name, args, {
    cwd,
    env: { ...own, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  const note = (chunk: Buffer) => void (text += chunk.toString())
  child.stdout?.on('data', note)
  child.stderr?.on('data', note)
  return { child, printed: () => text }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (typeof address !== 'object' || !address) throw new Error('no port is free')
  return address.port
}
