import { defineStore } from 'pinia'
import type { FlowSlug } from 'pinia-pgflow'
import { computed, reactive, ref, watch } from 'vue'
import { analyzeCsv } from './catalogue/analyze-csv.ts'
import { analyzeText } from './catalogue/analyze-text.ts'
import { publishReport } from './catalogue/publish-report.ts'

const storageKey = 'pinia-pgflow-playground'

/** What this tab remembers: the runs that were started here, and what is typed. */
export const useSession = defineStore('session', () => {
  const remembered = recall()
  /** The runs of this session, the newest first. */
  const runIds = ref(remembered)
  const selectedId = ref<string | null>(remembered[0] ?? null)
  const chosenFlow = ref<FlowSlug>('analyze_text')
  /** What is typed for each flow. */
  const drafts = reactive<Record<FlowSlug, string>>({
    analyze_text: analyzeText.samples[0].text,
    analyze_csv: analyzeCsv.samples[0].text,
    publish_report: publishReport.samples[0].text,
  })
  const hasRuns = computed(() => runIds.value.length > 0)

  watch(runIds, (ids) => sessionStorage.setItem(storageKey, JSON.stringify(ids)), { deep: true })

  /** Shows a run that was started, above the others. */
  function addRun(runId: string): void {
    if (!runIds.value.includes(runId)) runIds.value.unshift(runId)
    selectedId.value = runId
  }

  /** Takes a run off the list. */
  function dropRun(runId: string): void {
    runIds.value = runIds.value.filter((id) => id !== runId)
    if (selectedId.value === runId) selectedId.value = runIds.value[0] ?? null
  }

  return { runIds, selectedId, chosenFlow, drafts, hasRuns, addRun, dropRun }
})

function recall(): string[] {
  try {
    const ids: unknown = JSON.parse(sessionStorage.getItem(storageKey) ?? '[]')
    return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : []
  } catch {
    return []
  }
}
