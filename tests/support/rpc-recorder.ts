/** One RPC as it was sent. */
export interface RecordedCall {
  name: string
  args: Record<string, unknown>
}

/** A fetch that remembers the RPCs, and does to them what the test says. */
export class RpcRecorder {
  readonly calls: RecordedCall[] = []
  /** Requests are sent nowhere: they hang until their caller gives up. */
  isLost = false
  /** Requests fail at once, as without a network. */
  isDown = false
  /** Changes the rows of every answer. */
  tamper: (rows: unknown) => unknown = (rows) => rows

  /** What was sent to start runs. */
  get starts(): Record<string, unknown>[] {
    return this.calls
      .filter(({ name }) => name === 'start_flow_with_states')
      .map(({ args }) => args)
  }

  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : String(input)
    const body = typeof init?.body === 'string' ? init.body : '{}'
    const args = JSON.parse(body) as Record<string, unknown>
    this.calls.push({ name: url.slice(url.lastIndexOf('/') + 1), args })
    if (this.isDown) throw new TypeError('fetch failed')
    if (this.isLost) return rejectedBy(init?.signal)
    const answer = await fetch(input, init)
    if (answer.status === 204) return answer
    const rows: unknown = await answer.json()
    return Response.json(this.tamper(rows), { status: answer.status })
  }
}

function rejectedBy(signal: AbortSignal | null | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(new Error('aborted')))
  })
}
