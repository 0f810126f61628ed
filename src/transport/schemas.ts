/** The schema that this project's migration exposes. */
export const apiSchema = 'pgflow_client'
/** The schema of pgflow itself. */
export const plainSchema = 'pgflow'

/** Whose functions are called, and how what they say is read. */
export type ApiSchema = typeof apiSchema | typeof plainSchema
