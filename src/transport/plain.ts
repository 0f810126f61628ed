import { PgflowError } from '../errors.ts'

/**
 * The calls of plain pgflow. Loaded when first needed: an app with this project's SQL never loads
 * it.
 */
export const plainRpc = () =>
  import('./plain-rpc.ts').catch((cause: unknown) => {
    throw new PgflowError('unreachable', 'A part of pinia-pgflow could not be loaded.', { cause })
  })
