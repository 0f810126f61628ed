import { PgflowError } from 'pinia-pgflow'

export default defineNuxtRouteMiddleware(async (to) => {
  const nuxtApp = useNuxtApp()
  // In the browser the first page has it from the server.
  if (import.meta.client && nuxtApp.isHydrating) return
  const id = 'id' in to.params ? String(to.params.id) : ''
  try {
    await usePgflowStore(nuxtApp.$pinia).refreshRun(id)
  } catch (error) {
    if (!(error instanceof PgflowError)) throw error
    if (['run_not_found', 'invalid_input'].includes(error.code)) return abortNavigation()
  }
})
