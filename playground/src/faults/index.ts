/*
 * What goes wrong, and how it heals. `main.ts` makes the tools for the embedded backend alone:
 *
 *   const faults = isEmbedded
 *     ? createFaultTools({ url: location.origin, anonKey, auth: supabase.auth })
 *     : null
 *   app.use(createPgflow({ supabase, ...(faults && { trace: faults.trace }) }))
 *   if (faults) app.use(faults)
 *
 * Without them both components render nothing, so that a page may mount them in any case.
 */
export { createFaultTools, useFaultTools, type FaultTools } from './fault-tools.ts'
export { default as FaultNotice } from './FaultNotice.vue'
export { default as FaultPanel } from './FaultPanel.vue'
