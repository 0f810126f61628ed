/** The messages of what is thrown to nobody while `work` lasts. */
export async function uncaughtDuring(work: () => Promise<void>): Promise<string[]> {
  const thrown: string[] = []
  // Vitest listens too, and would fail the run.
  const listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', (error) => thrown.push(error.message))
  try {
    await work()
    return thrown
  } finally {
    process.removeAllListeners('uncaughtException')
    for (const listener of listeners) process.on('uncaughtException', listener)
  }
}
