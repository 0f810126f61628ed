import type { JoinRequest } from './channel.ts'
import type { Message } from './serializer.ts'

/** Every channel's wire topic begins with this. */
export const topicPrefix = 'realtime:'

/**
 * Reads a join's payload as tolerantly as the real server: what is missing or of the wrong type
 * means its default, and booleans may be text.
 */
export function readJoin(message: Message): JoinRequest {
  const payload = asRecord(message.payload)
  const config = asRecord(payload.config)
  const broadcast = asRecord(config.broadcast)
  const token = payload.access_token
  return {
    topic: message.topic.slice(topicPrefix.length),
    joinRef: message.joinRef,
    isPrivate: asFlag(config.private),
    self: asFlag(broadcast.self),
    ack: asFlag(broadcast.ack),
    replicationReady: asFlag(broadcast.replication_ready),
    replay: broadcast.replay !== undefined && broadcast.replay !== null,
    token: typeof token === 'string' && !token.startsWith('sb_') ? token : undefined,
  }
}

/** The fields of an object, none for anything else. */
export function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

function asFlag(value: unknown): boolean {
  return value === true || value === 'true'
}
