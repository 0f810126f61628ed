/** Limits and waits of the stand-in; the defaults are those of the real server. */
export interface RealtimeSettings {
  /** How long a refused join waits for its answer; its socket does nothing else meanwhile. */
  joinErrorDelayMs: number
  /** How long a refused handshake waits for its answer. */
  handshakeErrorDelayMs: number
  /** A larger frame closes the socket with 1009. */
  maxFrameBytes: number
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
  maxChannelsPerSocket: 100,
  privateOnly: false,
  maxPayloadBytes: 3_000_000,
  idleTimeoutMs: 60_000,
  tokenCheckMs: 5 * 60_000,
  replicationPollMs: 500,
  replicationTimeoutMs: 60_000,
}
