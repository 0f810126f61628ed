/** The schema that this project's migration exposes. */
export const apiSchema = 'pgflow_client'
/** The schema of pgflow itself. */
export const plainSchema = 'pgflow'

/** The schema whose functions are called, and how their errors are read. */
export type ApiSchema = typeof apiSchema | typeof plainSchema
