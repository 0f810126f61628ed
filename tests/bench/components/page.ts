import { createPinia } from 'pinia'
import { createPgflow, usePgflowStore } from 'pinia-pgflow'
import { RunGraph, RunProgress, RunTimeline } from 'pinia-pgflow/components'
import { createApp, h } from 'vue'
import { openLoopback } from '../apply/loopback.ts'
import { manySteps, manyTasks, type Scene } from './scenes.ts'

/** What the benchmark asks the page to do. */
export interface ComponentBench {
  /** Shows a run of so many steps, or with a map of so many tasks, and resolves to how long that took. */
  show: (what: 'steps' | 'tasks', count: number) => Promise<number>
  /** Broadcasts what happens to it, and resolves to how long each frame took, in ms. */
  play: (events: number, perSecond: number) => Promise<number[]>
  /** Whether what is shown is what was broadcast last. */
  isRight: () => boolean
  close: () => void
}

declare global {
  interface Window {
    bench: ComponentBench
  }
}

const runId = '00000000-0000-4000-8000-000000000001'
const scenes = { steps: manySteps, tasks: manyTasks }
let shown: ReturnType<typeof open> | undefined

function open(scene: Scene) {
  let sent = 0
  const loopback = openLoopback((name) => {
    if (name === 'get_flow') return [scene.flow]
    return name === 'get_run_seqs' ? { [runId]: sent + 1 } : [scene.snapshot(runId)]
  })
  const pinia = createPinia()
  const app = createApp(() =>
    [RunProgress, RunGraph, RunTimeline].map((part) => h(part, { runId })),
  )
  app.use(pinia).use(createPgflow({ supabase: loopback.supabase }))
  const element = document.body.appendChild(document.createElement('main'))
  app.mount(element)
  const store = usePgflowStore(pinia)
  return {
    element,
    isReady: () =>
      store.connections[runId]?.status === 'live' &&
      element.querySelector('.pgflow-node') !== null &&
      element.querySelector('.pgflow-row') !== null,
    send() {
      const [event, payload] = scene.event(runId, sent)
      loopback.broadcastText(`pgflow:run:${runId}`, event, payload)
      sent += 1
    },
    isRight: () => store.connections[runId]?.seq === sent + 1,
    close() {
      app.unmount()
      element.remove()
    },
  }
}

const frame = () => new Promise<number>((resolve) => requestAnimationFrame(resolve))

window.bench = {
  async show(what, count) {
    const scene = scenes[what](count)
    const started = performance.now()
    shown = open(scene)
    while (!shown.isReady()) await frame()
    return performance.now() - started
  },
  async play(events, perSecond) {
    let left = events
    let last = await frame()
    const started = performance.now()
    const timer = setInterval(() => {
      // A timer that comes late sends what it owes.
      const owed = events - Math.floor(((performance.now() - started) / 1000) * perSecond)
      for (; left > Math.max(0, owed); left -= 1) shown?.send()
    }, 5)
    const frames: number[] = []
    while (left > 0) {
      const now = await frame()
      frames.push(now - last)
      last = now
    }
    clearInterval(timer)
    return frames
  },
  isRight: () => shown?.isRight() ?? false,
  close: () => shown?.close(),
}
