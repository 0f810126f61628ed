import type { Realtime } from '../realtime/server.ts'
import type { Tokens } from '../tokens.ts'
import { MessageFaults } from './message-faults.ts'
import { noFaults, type FaultState } from './state.ts'

/** Every switch that makes the embedded backend fail as networks and servers do. */
export interface Switchboard {
  /** What is wrong at the moment. */
  readonly state: Readonly<FaultState>
  /** Changes some of it, at once. */
  set(patch: Partial<FaultState>): void
  /** Mends everything. What was lost meanwhile stays lost. */
  reset(): void
  /** Cuts every socket without a closing handshake. Returns how many. */
  killSockets(): number
  /** Closes every socket as a server does that restarts. Returns how many. */
  restartRealtime(): number
  close(): Promise<void>
}

export interface SwitchboardOptions {
  realtime: Pick<Realtime, 'faults' | 'settings'>
  tokens: Tokens
  /** From 0 to 1; default `Math.random`. */
  random?: () => number
}

/** Makes the switches of one backend. */
export function createSwitchboard({
  realtime: { faults, settings },
  tokens,
  random = Math.random,
}: SwitchboardOptions): Switchboard {
  const limitOf = () =>
    Number.isFinite(settings.maxEventsPerSecond) ? settings.maxEventsPerSecond : null
  const mended: FaultState = { ...noFaults, eventsPerSecond: limitOf() }
  const state = { ...mended }
  const messages = new MessageFaults(state, random)
  const stopTampering = faults.tamper(messages.tamper)
  /** Takes over what was switched elsewhere. */
  const look = () => {
    state.replicationLost = !faults.isReplicating
    state.eventsPerSecond = limitOf()
    state.tokensExpired = tokens.areExpired
    return state
  }
  const set = (patch: Partial<FaultState>) => {
    const before = { ...look() }
    Object.assign(state, patch)
    if (state.offline && !before.offline) faults.killSockets()
    if (state.replicationLost && !before.replicationLost) faults.loseReplication()
    if (!state.replicationLost && before.replicationLost) faults.restoreReplication()
    if (state.eventsPerSecond !== before.eventsPerSecond) faults.limitEvents(state.eventsPerSecond)
    if (state.tokensExpired && !before.tokensExpired) tokens.expire()
    if (!state.tokensExpired && before.tokensExpired) tokens.restore()
  }
  return {
    get state() {
      return look()
    },
    set,
    reset: () => set(mended),
    killSockets: () => faults.killSockets(),
    restartRealtime: () => faults.closeSockets(),
    close: () => {
      stopTampering()
      messages.close()
      return Promise.resolve()
    },
  }
}
