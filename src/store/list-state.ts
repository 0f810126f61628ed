import { reactive, ref, toRaw, type Ref } from 'vue'
import type { RunList, RunSummary } from '../model/entities.ts'
import { isSameJson } from '../model/json.ts'
import { ownValue } from '../model/own-value.ts'
import type { ListRows } from '../model/run-list.ts'
import type { ListState } from '../sync/lists/types.ts'

/** The state of the lists: the ids of each, and the rows of their runs. */
export function createListState() {
  /** The lists, by the key of their query. */
  const lists = ref<Record<string, RunList>>({})
  /** The runs in any list, by `run_id`; without input and output. */
  const summaries = ref<Record<string, RunSummary>>({})
  return { lists, summaries, state: createWriter(lists, summaries) }
}

/** The only code that writes lists. It writes only what differs, so that nothing else renders. */
function createWriter(
  lists: Ref<Record<string, RunList>>,
  summaries: Ref<Record<string, RunSummary>>,
): ListState {
  // Raw: an effect that observes a list must not depend on what is read here.
  const rawList = (key: string) => toRaw(ownValue(toRaw(lists.value), key))
  const rawSummary = (runId: string) => toRaw(ownValue(toRaw(summaries.value), runId))

  function listOf(key: string): RunList {
    if (!rawList(key)) lists.value[key] = emptyList()
    return reactive(rawList(key) ?? emptyList())
  }

  /** Writes a run; returns whether anything differed. */
  function put(row: RunSummary): boolean {
    const held = rawSummary(row.run_id)
    if (!held) summaries.value[row.run_id] = { ...row }
    else if (held !== row) return assign(held, row)
    return !held
  }

  /** Drops those of the runs that are in no list any more. */
  function sweep(runIds: readonly string[]): void {
    if (runIds.length === 0) return
    const shown = new Set(Object.values(toRaw(lists.value)).flatMap((list) => toRaw(list).ids))
    for (const runId of runIds) {
      if (!shown.has(runId)) Reflect.deleteProperty(summaries.value, runId)
    }
  }

  function write(key: string, { rows, hasMore }: ListRows): boolean {
    const list = listOf(key)
    const before = toRaw(toRaw(list).ids)
    const ids = rows.map((row) => row.run_id)
    const hasChanged = rows.map(put).includes(true)
    const hasMoved = ids.length !== before.length || ids.some((id, index) => id !== before[index])
    // The rows first, so that each id has its row when it is shown.
    if (hasMoved) list.ids = ids
    list.hasMore = hasMore
    const kept = new Set(ids)
    sweep(before.filter((id) => !kept.has(id)))
    return hasChanged || hasMoved
  }

  return {
    holds: (key) => rawList(key) !== undefined,
    rows(key) {
      const list = rawList(key)
      const rows = toRaw(list?.ids ?? []).flatMap((id) => rawSummary(id) ?? [])
      return { rows, hasMore: list?.hasMore ?? false }
    },
    summary: rawSummary,
    write,
    setState(key, { isLoading, connection }) {
      const list = listOf(key)
      const current = toRaw(toRaw(list).connection)
      list.isLoading = isLoading
      if (!isSameJson(current, connection)) Object.assign(reactive(current), connection)
    },
    setIdle(key) {
      const list = rawList(key)
      if (!list) return
      reactive(list).isLoading = false
      if (toRaw(list.connection).status !== 'closed') reactive(list).connection.status = 'idle'
    },
    forgetAbove(runId, seq) {
      const held = rawSummary(runId)
      if ((held?.seq ?? 0) > seq && held) reactive(held).seq = null
    },
    clear() {
      lists.value = {}
      summaries.value = {}
    },
    forget(key) {
      const ids = toRaw(rawList(key)?.ids ?? [])
      Reflect.deleteProperty(lists.value, key)
      sweep(ids)
    },
  }
}

function emptyList(): RunList {
  return { ids: [], hasMore: false, isLoading: false, connection: { status: 'idle', error: null } }
}

function assign(held: RunSummary, row: RunSummary): boolean {
  let hasChanged = false
  for (const [field, value] of Object.entries(row)) {
    if (Reflect.get(held, field) === value) continue
    Reflect.set(reactive(held), field, value)
    hasChanged = true
  }
  return hasChanged
}
