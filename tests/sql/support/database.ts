import {
  openDatabase,
  type Database,
  type PreparedLevel,
} from '../../../playground/backend/database.ts'

export type { Database, PreparedLevel, Queryable } from '../../../playground/backend/database.ts'

/** Opens a database of this level that remembers in which order broadcasts were sent. */
export async function openTestDatabase(level: PreparedLevel = 'full'): Promise<Database> {
  const db = await openDatabase({ level })
  // The rows of one transaction share their time and have random ids.
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
  return db
}
