/** What those get who still wait for a turn, or ask for one, when there are no more. */
export class TurnsEnded extends Error {
  constructor() {
    super('The embedded database is closed')
    this.name = 'TurnsEnded'
  }
}

/** Turns at something that one at a time may use: first come, first served. */
export interface Turns {
  /** A turn that fails does not stop the next. */
  take<T>(work: () => Promise<T>): Promise<T>
  /** Waits for the turn under way alone; every other is refused with `TurnsEnded`. */
  end(): Promise<void>
}

/**
 * PGlite answers in promises that are fulfilled at once: without a pause between turns, a long line
 * of them would keep signals, sockets and timers waiting until all of it is done.
 */
export function createTurns(): Turns {
  let last: Promise<unknown> = Promise.resolve()
  let isEnded = false
  const begin = async () => {
    if (!isEnded) await eventLoopTurn()
    if (isEnded) throw new TurnsEnded()
  }
  return {
    take(work) {
      const turn = last.then(begin).then(work)
      last = turn.catch(() => undefined)
      return turn
    },
    async end() {
      isEnded = true
      await last
    },
  }
}

function eventLoopTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
