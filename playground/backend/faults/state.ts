/**
 * How the API can fail, all requests alike:
 * - `unavailable`: PostgREST has lost its database, 503.
 * - `bad_gateway`: what is in front of it answers with a page, 502.
 * - `rate_limited`: too many requests, 429.
 * - `lost_answer`: a request is done, and its connection is cut before the answer.
 */
export const restFailures = ['unavailable', 'bad_gateway', 'rate_limited', 'lost_answer'] as const

export type RestFailure = (typeof restFailures)[number]

/** What is wrong with the embedded backend at the moment. */
export interface FaultState {
  /** Every request and every socket is cut off, as without a network. */
  offline: boolean
  /** The part of the database's messages that is lost, from 0 to 1. */
  dropShare: number
  /** Each of the database's messages arrives twice. */
  duplicate: boolean
  /** How much later the database's messages arrive, in ms. */
  delayMs: number
  /** Of two messages of one topic, the later one arrives first. */
  reorder: boolean
  /** No message of the database is delivered, and no client is notified. */
  replicationLost: boolean
  /** With so many messages and deliveries a second none is delivered; null for no limit. */
  eventsPerSecond: number | null
  /** All tokens that were issued before this was switched on have expired. */
  tokensExpired: boolean
  /** How much later the API answers, in ms. */
  restDelayMs: number
  restFailure: RestFailure | null
}

/** Nothing is wrong. */
export const noFaults: Readonly<FaultState> = {
  offline: false,
  dropShare: 0,
  duplicate: false,
  delayMs: 0,
  reorder: false,
  replicationLost: false,
  eventsPerSecond: null,
  tokensExpired: false,
  restDelayMs: 0,
  restFailure: null,
}

/** Where the embedded backend, and nothing else, listens for its switches. */
export const embeddedPath = '/embedded/v1'

/** What happens once, when it is asked for. */
export const faultActions = ['reset', 'kill-sockets', 'restart-realtime'] as const

export type FaultAction = (typeof faultActions)[number]
