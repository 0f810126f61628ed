import { getActivePinia, type Pinia } from 'pinia'
import { createEngine, type Engine } from './engine.ts'
import { PgflowError } from '../errors.ts'
import type { PgflowConfig } from '../options.ts'

/** What `createPgflow` provides to the stores of one Pinia. */
interface Installation {
  config: PgflowConfig
  /** The number of mounted apps that share it. */
  apps: number
  /** Created with the store. Kept when the store is created again, as by a hot update. */
  engine: Engine | null
}

/** The id of the list store in Pinia. */
export const listStoreId = 'pgflow-lists'

const installations = new WeakMap<Pinia, Installation>()

/**
 * Provides the configuration to the stores of `pinia`. Apps that share a Pinia share the
 * configuration of the first. The returned function removes the app; after the last one, every
 * channel is closed.
 */
export function installConfig(pinia: Pinia, config: PgflowConfig): () => void {
  const installation = installations.get(pinia) ?? { config, apps: 0, engine: null }
  installations.set(pinia, installation)
  if (installation.apps === 0) installation.config = config
  installation.apps += 1
  return () => {
    installation.apps -= 1
    if (installation.apps === 0) installation.engine?.leave()
  }
}

/**
 * The engine of the store of the active Pinia.
 * @throws PgflowError `not_installed`
 */
export function useEngine(): Engine {
  const pinia = getActivePinia()
  const installation = pinia && installations.get(pinia)
  if (!installation) {
    throw new PgflowError('not_installed', 'pinia-pgflow is not installed in this app.')
  }
  return (installation.engine ??= createEngine(
    () => installation.config,
    () => Reflect.deleteProperty(pinia.state.value, listStoreId),
  ))
}
