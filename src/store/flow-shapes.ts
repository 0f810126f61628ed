import { ref } from 'vue'
import { PgflowError } from '../errors.ts'
import type { FlowShape } from '../model/entities.ts'
import type { PgflowConfig } from '../options.ts'
import { withTimeout } from '../sync/abort.ts'

/** The shapes of flows. Each is read when requested, since flows rarely change. */
export function createFlowShapes(config: () => PgflowConfig) {
  /** The shapes that were read. An array: as a key, the slug `__proto__` would be unsafe. */
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
     * Reads the shape of a flow. Calls made meanwhile share the request.
     * @throws PgflowError
     */
    fetch(flowSlug: string): Promise<FlowShape> {
      const reading = underWay.get(flowSlug) ?? read(flowSlug)
      underWay.set(flowSlug, reading)
      return reading
    },
    /** Drops every shape. */
    reset(): void {
      flows.value = []
    },
    /** Aborts the requests under way, so that they do not write any more. */
    stop(): void {
      life.abort(new PgflowError('aborted', 'It is not followed any more.'))
      life = new AbortController()
    },
  }
}
