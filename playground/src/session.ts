import { defineStore } from 'pinia'
import { computed, ref, watch } from 'vue'
import { cards, cardOf, type Card } from './catalogue/index.ts'

const storageKey = 'pinia-pgflow-playground'

/** What this tab remembers when it is reloaded. */
interface Remembered {
  flow: string
  drafts: [slug: string, text: string][]
  amounts: [slug: string, amount: number][]
  runId: string | null
}

/** What this tab remembers: the flow that is chosen, what is typed, and the last run it started. */
export const useSession = defineStore('session', () => {
  const remembered = recall()
  const chosenFlow = ref<Card['slug']>(cardOf(remembered.flow ?? '')?.slug ?? cards[0].slug)
  /** What is typed for each flow. */
  const drafts = ref(
    new Map<string, string>([
      ...cards.map((card): [string, string] => [card.slug, card.samples[0].text]),
      ...(remembered.drafts ?? []),
    ]),
  )
  /** The number beside it, where a flow takes one. */
  const amounts = ref(
    new Map<string, number>([
      ...cards.flatMap(({ slug, amount }): [string, number][] =>
        amount ? [[slug, amount.first]] : [],
      ),
      ...(remembered.amounts ?? []),
    ]),
  )
  /** The last run that was started in this tab. */
  const runId = ref<string | null>(remembered.runId ?? null)

  const kept = computed((): Remembered => ({
    flow: chosenFlow.value,
    drafts: [...drafts.value],
    amounts: [...amounts.value],
    runId: runId.value,
  }))
  watch(kept, keep)

  return { chosenFlow, drafts, amounts, runId }
})

function keep(remembered: Remembered): void {
  try {
    sessionStorage.setItem(storageKey, JSON.stringify(remembered))
  } catch {
    // Without storage, or with too much typed for it, a reload begins anew.
  }
}

/** Read part by part: another version of this page may have written it. */
function recall(): Partial<Remembered> {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(storageKey) ?? '{}')
    const { flow, drafts, amounts, runId } = Object(found) as Record<keyof Remembered, unknown>
    return {
      ...(typeof flow === 'string' && { flow }),
      ...(Array.isArray(drafts) && { drafts: drafts.filter(isDraft) }),
      ...(Array.isArray(amounts) && { amounts: amounts.filter(isAmount) }),
      ...(typeof runId === 'string' && /^[\da-f-]{36}$/.test(runId) && { runId }),
    }
  } catch {
    return {}
  }
}

function isAmount(value: unknown): value is [string, number] {
  return Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'number'
}

function isDraft(value: unknown): value is [string, string] {
  return (
    Array.isArray(value) && value.length === 2 && value.every((each) => typeof each === 'string')
  )
}
