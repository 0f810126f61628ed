import { ref } from 'vue'
import { PgflowError } from '../errors.ts'
import type { FlowShape } from '../model/entities.ts'
import type { PgflowConfig } from '../options.ts'
import { withTimeout } from '../sync/abort.ts'

/** What flows look like: read when asked for, since a flow rarely changes. */
export function createFlowShapes(config: () => PgflowConfig) {
  /** The shapes that were read. Not by slug: a flow may be called `__proto__`. */
  const flows = ref<FlowShape[]>([])
  const underWay = new Map<string, Promise<FlowShape>>()
  let life = new AbortController()

  async function read(flowSlug: string): Promise<FlowShape> {
    const { transport, scheduler, times } = config()
    try {
      const shape = await withTimeout(scheduler, times.snapshotTimeout, [life.signal], (signal) =>
        transport.fetchFlow(flowSlug, signal),
      )
      flows.value = [...flows.value.filter((other) => other.flow_slug !== shape.flow_slug), shape]
      return shape
    } finally {
      underWay.delete(flowSlug)
    }
  }

  return {
    flows,
    /** The shape of a flow, if it was read. */
    shapeOf: (flowSlug: string): FlowShape | undefined =>
      flows.value.find((shape) => shape.flow_slug === flowSlug),
    /**
     * Reads the shape of a flow; whoever asks meanwhile gets the same answer.
     * @throws PgflowError
     */
    fetch(flowSlug: string): Promise<FlowShape> {
      const reading = underWay.get(flowSlug) ?? read(flowSlug)
      underWay.set(flowSlug, reading)
      return reading
    },
    /** Forgets every shape. */
    reset(): void {
      flows.value = []
    },
    /** Nothing that is still being read changes the state any more. */
    stop(): void {
      life.abort(new PgflowError('aborted', 'The flow is not wanted any more.'))
      life = new AbortController()
    },
  }
}
