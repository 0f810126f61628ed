import { defineStore } from 'pinia'
import { usePgflowStore, type RunChange } from 'pinia-pgflow'
import { onScopeDispose, ref } from 'vue'
import { stepLabelsOf, titleOf } from './catalogue/index.ts'
import type { Tone } from './labels/status.ts'

/** Something that has happened, told in a corner of the page. */
export interface Notification {
  id: number
  runId: string
  tone: Tone
  title: string
  detail: string
}

const shownForMs = 8_000
const mostShown = 4

/** What has happened to the runs that this page follows: told once, and gone after a while. */
export const useNotifications = defineStore('notifications', () => {
  const items = ref<Notification[]>([])
  const timers = new Map<number, ReturnType<typeof setTimeout>>()
  let latest = 0

  usePgflowStore().onRunChange((change) => {
    const told = notificationOf(change)
    if (!told) return
    latest += 1
    const id = latest
    // What was told of the same run before is old by now.
    const others = items.value.filter((item) => item.runId !== told.runId)
    items.value = [...others, { ...told, id }]
    items.value.slice(0, -mostShown).forEach((old) => dismiss(old.id))
    resume(id)
  })
  onScopeDispose(() => timers.forEach((timer) => clearTimeout(timer)))

  function dismiss(id: number): void {
    hold(id)
    items.value = items.value.filter((item) => item.id !== id)
  }
  /** Keeps one while somebody reads it. */
  function hold(id: number): void {
    clearTimeout(timers.get(id))
    timers.delete(id)
  }
  function resume(id: number): void {
    hold(id)
    timers.set(
      id,
      setTimeout(() => dismiss(id), shownForMs),
    )
  }

  return { items, dismiss, hold, resume }
})

/** Steps that go as they should are seen where they are shown; a notification each would be noise. */
function notificationOf(change: RunChange): Omit<Notification, 'id'> | null {
  const { run } = change
  const about = { runId: run.run_id }
  const title = titleOf(run.flow_slug)
  if (change.kind === 'retry') {
    const step = new Map(stepLabelsOf(run.flow_slug)).get(change.step.step_slug)
    const name = step?.title ?? change.step.step_slug
    const detail = `${name} is tried again: ${change.retry.error_message ?? 'it gave no reason.'}`
    return { ...about, tone: 'running', title, detail }
  }
  if (change.kind !== 'run') return null
  if (run.status === 'completed') {
    return { ...about, tone: 'done', title: `${title}: done`, detail: '' }
  }
  if (run.status === 'failed') {
    const detail = run.error_message ?? ''
    return { ...about, tone: 'failed', title: `${title}: failed`, detail }
  }
  return change.from === 'pending'
    ? { ...about, tone: 'running', title: `${title}: started`, detail: '' }
    : null
}
