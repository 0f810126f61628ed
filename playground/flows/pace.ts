/** The part of a handler's context that says how fast to work. */
type PacedContext = {
  env: Record<string, string | undefined>
}

/**
 * Waits as long as `PLAYGROUND_PACE_MS` says, so that people can follow steps that would be over in
 * a millisecond. Without it, as in a real project, nothing waits. The page says so.
 */
export async function pace({ env }: PacedContext): Promise<void> {
  const milliseconds = Number(env.PLAYGROUND_PACE_MS ?? 0)
  if (milliseconds > 0) await new Promise((resolve) => setTimeout(resolve, milliseconds))
}
