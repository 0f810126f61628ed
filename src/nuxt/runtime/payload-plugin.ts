import { definePayloadPlugin, definePayloadReducer, definePayloadReviver } from '#imports'
import { pgflowPayload } from 'pinia-pgflow'

/** Inputs and outputs travel as JSON text: Nuxt's serialiser refuses some names in them. */
export default definePayloadPlugin(() => {
  definePayloadReducer('PgflowRow', pgflowPayload.reduce)
  definePayloadReviver('PgflowRow', pgflowPayload.revive)
})
