import { serverSupabaseClient } from '#supabase/server'
import { createPinia } from 'pinia'
import { createPgflow, usePgflowStore } from 'pinia-pgflow'
import { createSSRApp } from 'vue'

export default defineEventHandler(async (event) => {
  const supabase = await serverSupabaseClient(event)
  const pinia = createPinia()
  createSSRApp({}).use(pinia).use(createPgflow({ supabase }))
  const { run_id } = await usePgflowStore(pinia).startFlow('greet', await readBody(event))
  return { run_id }
})
