import { Flow } from '@pgflow/dsl'
import { createBackend } from '../../../playground/backend/index.ts'
import { WireClient } from '../../support/wire-client.ts'

/**
 * Run as a process of its own: it must end by itself, although everything was in use when it
 * closed: a running handler, a delayed task, a connected client, a join being refused.
 */
const busy = new Flow<null>({ slug: 'busy' })
  .step({ slug: 'slow' }, (_input, { shutdownSignal }) => waitFor(shutdownSignal))
  .step({ slug: 'later', startDelay: 60 }, () => null)

const backend = await createBackend({ flows: [busy] })
const client = await WireClient.connect(backend)
await client.join('topic')
client.send('2', '2', 'realtime:refused', 'phx_join', { config: { private: true } })
await backend.db.query(`select pgflow.start_flow('busy', 'null')`)
await client.arrived()
await backend.close()
console.log('closed')

function waitFor(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(null)))
}
