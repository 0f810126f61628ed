import { openDatabase } from '../../playground/backend/database.ts'

/** Prepares the data directory once, so that no two test files migrate the same database. */
export default async function setup(): Promise<void> {
  const database = await openDatabase()
  await database.close()
}
