import { openDatabase } from '../../../playground/backend/database.ts'
import { findChromium } from './chromium.ts'

/** Fails at once, and with one clear error, where there is no browser; prepares the database. */
export default async function setup(): Promise<void> {
  await findChromium()
  const database = await openDatabase()
  await database.close()
}
