import { dropMarks, isObject, isRun, isTexts, keepGood, settled } from './hydrated-rows.ts'

/** Takes over the lists that are there before their store: what was live then is not live now. */
export function settleHydratedLists(state: unknown): void {
  if (!isObject(state)) return
  dropMarks(state)
  keepGood(state, 'summaries', isRun)
  keepGood(state, 'lists', (list, key) => {
    if (!key.startsWith('[') || !isTexts(list.ids) || !isObject(list.connection)) return false
    const { status, error } = settled(list.connection, false)
    Object.assign(list, { isLoading: false, connection: { status, error } })
    return true
  })
}
