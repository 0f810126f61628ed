import {
  dropMarks,
  isObject,
  isRun,
  isTexts,
  keepGood,
  initialConnection,
} from './hydrated-rows.ts'

/** Takes over lists that are in the state before the store is created. None of them is `live`. */
export function takeOverHydratedLists(state: unknown): void {
  if (!isObject(state)) return
  dropMarks(state)
  keepGood(state, 'summaries', isRun)
  keepGood(state, 'lists', (list, key) => {
    if (!key.startsWith('[') || !isTexts(list.ids) || !isObject(list.connection)) return false
    const { status, error } = initialConnection(list.connection, false)
    Object.assign(list, { isLoading: false, connection: { status, error } })
    return true
  })
}
