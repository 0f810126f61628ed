import { inject } from 'vitest'
import {
  openDatabase,
  type Database,
  type PreparedLevel,
} from '../../../playground/backend/database.ts'
import type { NativeDatabase } from './native/session.ts'

export type { PreparedLevel, Queryable } from '../../../playground/backend/database.ts'

/** What the SQL tests need of a database, embedded or native. */
export type TestDatabase = Pick<Database, 'query' | 'exec' | 'transaction' | 'close'>

/** The port of the native Postgres, where the tests run on one (PGFLOW_TEST_DB=native or native-15). */
export const nativePort = inject('nativePort')

/** Opens a database of this level that remembers in which order broadcasts were sent. */
export async function openTestDatabase(level: PreparedLevel = 'full'): Promise<TestDatabase> {
  const db = await open(level)
  await rememberOrder(db)
  return db
}

async function open(level: PreparedLevel): Promise<TestDatabase> {
  if (!nativePort) return openDatabase({ level })
  // Loaded on demand: it hooks into the end of the process.
  const { openNative } = await import('./native/session.ts')
  return openNative(nativePort, level)
}

/** Opens a native database, to which many sessions can connect. */
export async function openConcurrentDatabase(): Promise<NativeDatabase> {
  if (!nativePort) throw new Error('Only a native Postgres has many sessions.')
  const { openNative } = await import('./native/session.ts')
  const db = await openNative(nativePort, 'full')
  await rememberOrder(db)
  return db
}

/** The rows of one transaction share their time and have random ids. */
async function rememberOrder(db: TestDatabase): Promise<void> {
  await db.exec(`
    create schema test;
    create table test.sent (position bigint generated always as identity primary key, id uuid);
    create function test.remember() returns trigger language plpgsql security definer as $$
    begin
      insert into test.sent (id) values (new.id);
      return null;
    end;
    $$;
    create trigger remember after insert on realtime.messages
    for each row execute function test.remember();
  `)
}
