import type { Pinia } from 'pinia'
import { PgflowError } from './errors.ts'
import type { PgflowConfig } from './options.ts'
import type { TraceRecord } from './sync/trace.ts'
import { TraceLog } from './trace-log.ts'
import type { PgflowTransport, RunChannel, RunChannelHandlers } from './transport/types.ts'

/**
 * Gives devtools access to the sync of one Pinia, from before they are loaded. In development only:
 * production bundles contain nothing of it.
 */
export interface DevtoolsTap {
  readonly log: TraceLog
  /** The configuration, with the log and the channels in it. */
  wrap: (config: PgflowConfig) => PgflowConfig
  /**
   * Leaves the channel of a run and joins it again, as after a lost connection. False if the run
   * has no channel, for example because it has ended.
   */
  reconnect: (runId: string) => boolean
  /** The ids of the runs that have a channel. */
  readonly channels: readonly string[]
  /**
   * An app uses it. After the last app has called the returned function, all records are dropped.
   */
  join: () => () => void
}

const taps = new WeakMap<Pinia, DevtoolsTap>()

/** The tap of a Pinia. Apps that share the Pinia share it. */
export function tapOf(pinia: Pinia): DevtoolsTap {
  const tap = taps.get(pinia) ?? createTap()
  taps.set(pinia, tap)
  return tap
}

function createTap(): DevtoolsTap {
  const log = new TraceLog()
  const channels = new Map<object, { runId: string; reconnect: () => void }>()
  let apps = 0

  function openChannel(
    transport: PgflowTransport,
    runId: string,
    handlers: RunChannelHandlers,
  ): RunChannel {
    let channel = transport.openChannel(runId, handlers)
    const self = {}
    channels.set(self, {
      runId,
      reconnect: () => {
        channel.close()
        handlers.onDown(new PgflowError('channel_failed', 'Devtools join the channel anew.'))
        if (channels.has(self)) channel = transport.openChannel(runId, handlers)
      },
    })
    return {
      close: () => {
        channels.delete(self)
        channel.close()
      },
    }
  }

  return {
    log,
    wrap: (config) => ({
      ...config,
      transport: {
        ...config.transport,
        openChannel: (runId, handlers) => openChannel(config.transport, runId, handlers),
      },
      trace: (record: TraceRecord) => {
        log.add(record)
        config.trace?.(record)
      },
    }),
    reconnect: (runId) => {
      const found = [...channels.values()].filter((channel) => channel.runId === runId)
      for (const { reconnect } of found) reconnect()
      return found.length > 0
    },
    get channels() {
      return [...channels.values()].map(({ runId }) => runId)
    },
    join: () => {
      apps += 1
      return () => {
        apps -= 1
        if (apps === 0) log.clear()
      }
    },
  }
}
