import { randomUUID } from 'node:crypto'
import type { Project } from '../project.ts'
import { deferred, within } from '../waiting.ts'
import { factsOf, type Facts } from './facts.ts'
import { error, ok, skipped, type Finding } from './findings.ts'

/** How long each is waited for, in ms. */
export interface RealtimeWaits {
  /** To join the channel. A refusal takes the server 5 s. */
  join: number
  /** Resolves when Realtime reports that it is connected to the database. */
  ready: number
  /** For the message, once it is sent. */
  message: number
}

const waits: RealtimeWaits = { join: 15_000, ready: 5_000, message: 10_000 }

/** Sends a message through the database and back, on a channel of its own. */
export async function checkRealtime(
  project: Project,
  { visibility, signed_in, role }: Facts,
  given: Partial<RealtimeWaits> = {},
): Promise<Finding[]> {
  const isPrivate = visibility === 'private'
  if (isPrivate && !signed_in && role !== 'service_role') {
    return [
      skipped(
        'realtime',
        'token_needed',
        'Runs are private, and nobody is signed in: what users hear cannot be tested.',
        'Pass the access token of a signed-in user as --token.',
      ),
    ]
  }
  const id = randomUUID()
  // The join uses the token that Realtime holds when it is sent: it is fetched first.
  await project.client.realtime.setAuth()
  const listener = listen(project, id, isPrivate)
  try {
    return await throughDatabase(project, id, listener, { ...waits, ...given }, isPrivate)
  } finally {
    await listener.leave()
  }
}

async function throughDatabase(
  project: Project,
  id: string,
  listener: ReturnType<typeof listen>,
  { join, ready, message }: RealtimeWaits,
  isPrivate: boolean,
): Promise<Finding[]> {
  const refusal = await within(join, listener.joined, 'timeout')
  if (refusal !== null) return [notJoined(refusal, listener.isConnected(), isPrivate)]
  // Right after a pause Realtime may join a channel before it listens to the database.
  const isReady = await within(ready, listener.ready, false)
  const answer = await project.call('self_test', { p_id: id })
  const facts = factsOf(answer)
  if (!facts) return [notSent(answer.error?.message ?? 'it returned something else')]
  if (facts.refused !== null) return notStored(facts.refused, facts.may_send)
  const stored = ok('partition', 'The database stores messages for Realtime.')
  const isReceived = await within(message, listener.received, false)
  return [stored, isReceived ? received(isPrivate) : notDelivered(isReady)]
}

/** Joins the channel of the test. The promises that it resolves to never reject. */
function listen({ client }: Project, id: string, isPrivate: boolean) {
  const channel = client.channel(`pgflow:self-test:${id}`, {
    config: {
      private: isPrivate,
      broadcast: { self: false, ack: false, replication_ready: true },
    },
  })
  const joined = deferred<string | null>()
  const ready = deferred<boolean>()
  const message = deferred<boolean>()
  channel
    .on('broadcast', { event: 'self_test' }, ({ payload }: { payload?: unknown }) => {
      if (isOurs(payload, id)) message.resolve(true)
    })
    .on('system', {}, (payload: { status?: unknown; message?: unknown }) => {
      if (payload.status === 'ok' && /replication/i.test(String(payload.message))) {
        ready.resolve(true)
      }
    })
    .subscribe((state, failure) => {
      const status: string = state
      if (status === 'SUBSCRIBED') joined.resolve(null)
      // Without a connection the client tries again, and so does this until the time is over.
      else if (status === 'CHANNEL_ERROR' && client.realtime.isConnected()) {
        joined.resolve(failure?.message ?? 'no reason given')
      }
    })
  return {
    joined: joined.promise,
    ready: ready.promise,
    received: message.promise,
    isConnected: () => client.realtime.isConnected(),
    leave: () => client.removeChannel(channel),
  }
}

function isOurs(payload: unknown, id: string): boolean {
  return (
    typeof payload === 'object' &&
    payload !== null &&
    'self_test' in payload &&
    payload.self_test === id
  )
}

function notJoined(reason: string, isConnected: boolean, isPrivate: boolean): Finding {
  const name = isPrivate ? 'private channel' : 'channel'
  if (!isConnected) {
    return error(
      'realtime',
      'no_socket',
      'Realtime cannot be reached: no WebSocket connection was made.',
      'See whether a proxy or firewall keeps WebSockets from passing, and whether Realtime runs (dashboard, Reports; local: npx supabase status).',
    )
  }
  if (reason.includes('PrivateOnly')) {
    return error(
      'realtime',
      'private_only',
      'Realtime of this project takes private channels only, and runs are public.',
      "Make runs private (select pgflow_realtime.set_visibility('private');), or allow public access in Project Settings, Realtime.",
    )
  }
  if (reason.includes('Unauthorized')) {
    return error(
      'realtime',
      'channel_refused',
      `Realtime refuses the ${name}: its policies do not let this user listen.`,
      'select pgflow_realtime.create_policies(); as a role that may, such as in the SQL editor of the dashboard.',
    )
  }
  if (/JWT|token/i.test(reason)) {
    return error(
      'realtime',
      'token_refused',
      `Realtime does not accept the token: ${reason}`,
      'It needs role and exp, and has to be of this project. REST takes tokens that Realtime does not.',
    )
  }
  return error(
    'realtime',
    'not_joined',
    `Realtime did not let the ${name} be joined: ${reason}.`,
    'See the logs of Realtime in the dashboard; a limit of channels or joins may be reached.',
  )
}

function notSent(reason: string): Finding {
  return error(
    'realtime',
    'self_test_failed',
    `The test message could not be sent: pgflow_client.self_test failed: ${reason}`,
    'Look for this message in the logs of the database.',
  )
}

function notStored(sqlState: string, maySend: boolean): Finding[] {
  const unknown = skipped(
    'realtime',
    'not_stored',
    'Whether Realtime delivers is unknown, since the database stored no message.',
    'Do what is said above, and run this again.',
  )
  // The owner without rights has a finding of its own.
  if (!maySend) return [unknown]
  if (sqlState === '23514') {
    return [
      error(
        'partition',
        'no_partition',
        'Every broadcast is lost: realtime.messages has no partition for today.',
        'Realtime makes it when a client connects. Restart the project (or npx supabase stop && npx supabase start), and see the logs of Realtime if it is not made.',
      ),
      unknown,
    ]
  }
  return [
    error(
      'partition',
      'not_stored',
      `Every broadcast is lost: Postgres refuses to store messages in realtime.messages (SQLSTATE ${sqlState}).`,
      'Look for triggers, constraints and policies of your own on that table.',
    ),
    unknown,
  ]
}

function received(isPrivate: boolean): Finding {
  const name = isPrivate ? 'private channel' : 'channel'
  return ok('realtime', `A message went through the database and back on a ${name}.`)
}

function notDelivered(isReady: boolean): Finding {
  const detail = isReady
    ? 'It says that it listens to the database, and delivers nothing.'
    : 'It has not said that it listens to the database.'
  return error(
    'realtime',
    'not_delivered',
    `Realtime joined the channel, and did not deliver a message that the database had stored. ${detail}`,
    'Wait a minute and try again. If it stays: see whether the quota of messages is used up (dashboard, Reports), and restart Realtime (hosted: Project Settings, restart the project).',
  )
}
