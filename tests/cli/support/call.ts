import { runCommand } from '../../../src/cli/command-line.ts'

/** What a call of the command came to. */
export interface Called {
  code: number
  out: string
  err: string
}

interface CallOptions {
  cwd?: string
  env?: Record<string, string>
  /** The clock of the machine, in ms since 1970. */
  now?: () => number
}

/** Calls the command as the shell would, in this process. */
export async function call(
  args: readonly string[],
  { cwd = process.cwd(), env = {}, now = Date.now }: CallOptions = {},
): Promise<Called> {
  let [out, err] = ['', '']
  const code = await runCommand(args, {
    cwd,
    env,
    now,
    stdout: (text) => void (out += text),
    stderr: (text) => void (err += text),
  })
  return { code, out, err }
}
