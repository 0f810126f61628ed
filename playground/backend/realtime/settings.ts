/** Limits and waits of the stand-in; the defaults are those of the real server. */
export interface RealtimeSettings {
  /** How long a refused join waits for its answer; its socket does nothing else meanwhile. */
  joinErrorDelayMs: number
  /** How long a refused handshake waits for its answer. */
  handshakeErrorDelayMs: number
  /** A larger frame closes the socket with 1009. */
  maxFrameBytes: number
  /** A socket on which more than this waits, such as behind a join, is not read until it is less. */
  maxUnreadBytes: number
  /** A socket that does not take this much of what it is sent is cut off. */
  maxUnsentBytes: number
  maxChannelsPerSocket: number
  /** Whether public channels are refused, as a project can choose in its Realtime settings. */
  privateOnly: boolean
  /** A larger payload is never delivered. */
  maxPayloadBytes: number
  /** A socket that sends nothing for this long is closed with 1000. */
  idleTimeoutMs: number
  /** The longest time between two looks at whether a channel's token has expired. */
  tokenCheckMs: number
  /** How often a channel that asked for `replication_ready` looks, and when it gives up. */
  replicationPollMs: number
  replicationTimeoutMs: number
}

export const defaultSettings: RealtimeSettings = {
  joinErrorDelayMs: 5_000,
  handshakeErrorDelayMs: 2_000,
  maxFrameBytes: 5_000_000,
  maxUnreadBytes: 10_000_000,
  maxUnsentBytes: 50_000_000,
  maxChannelsPerSocket: 100,
  privateOnly: false,
  maxPayloadBytes: 3_000_000,
  idleTimeoutMs: 60_000,
  tokenCheckMs: 5 * 60_000,
  replicationPollMs: 500,
  replicationTimeoutMs: 60_000,
}
