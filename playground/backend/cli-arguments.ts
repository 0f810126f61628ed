import { parseArgs } from 'node:util'

/** What `npm run backend` is told. */
export interface CliArguments {
  /** 0 for any free one. */
  port: number
  help: boolean
}

/**
 * Reads the arguments of `npm run backend`.
 * @throws Error that names what it does not understand.
 */
export function readArguments(args: readonly string[]): CliArguments {
  const { values } = parseArgs({
    args: [...args],
    options: { port: { type: 'string', default: '0' }, help: { type: 'boolean', default: false } },
  })
  const port = /^\d+$/.test(values.port) ? Number(values.port) : NaN
  if (!(port <= 65_535)) throw new Error(`--port takes a number up to 65535, not "${values.port}".`)
  return { port, help: values.help }
}
