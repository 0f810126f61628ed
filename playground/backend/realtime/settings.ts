/**
 * Limits and waits of the stand-in. The defaults are those of the real server, except that events
 * are not limited, and that `maxUnreadBytes` and `maxUnsentBytes` are its own: the real server has
 * other means against clients that send or take too slowly.
 */
export interface RealtimeSettings {
  /** How long a refused join waits for its answer; its socket does nothing else meanwhile. */
  joinErrorDelayMs: number
  /** How long a refused handshake waits for its answer. */
  handshakeErrorDelayMs: number
  /** A larger frame closes the socket with 1009. */
  maxFrameBytes: number
  /**
   * A socket on which more than this waits, such as behind a join, is not read until it is less. Each
   * message counts 1,000 bytes besides its own.
   */
  maxUnreadBytes: number
  /** A socket that does not take this much of what it is sent, counted alike, is cut off. */
  maxUnsentBytes: number
  maxChannelsPerSocket: number
  /** Whether public channels are refused, as a project can choose in its Realtime settings. */
  privateOnly: boolean
  /** A larger payload is never delivered; the server adds 494 bytes to that. */
  maxPayloadBytes: number
  /**
   * With so many messages and deliveries a second, on the average of a minute at most, those of the
   * database are dropped, of all topics and without a word. A project has 100 on the free plan and
   * 500 on others; the default is Infinity, for tests and demos that do more than a user does.
   */
  maxEventsPerSecond: number
  /** How often that average is taken. */
  eventTickMs: number
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
  maxEventsPerSecond: Infinity,
  eventTickMs: 5_000,
  idleTimeoutMs: 60_000,
  tokenCheckMs: 5 * 60_000,
  replicationPollMs: 500,
  replicationTimeoutMs: 60_000,
}
