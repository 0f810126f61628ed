import type { Queryable } from './database.ts'

/**
 * Writes down, without the help of what is tested, every change that a client should hear of, and
 * what a snapshot tells at the end of every transaction that sent something.
 */
export async function auditEverything(db: Queryable): Promise<void> {
  await db.exec(`
    create table test.changes (
      run_id uuid, step_slug text, change text, xid xid8 default pg_current_xact_id()
    );
    create table test.snapshots (
      position bigint generated always as identity, run_id uuid, run jsonb, steps jsonb, seq bigint,
      xid xid8 default pg_current_xact_id()
    );
    create index on test.changes (run_id);
    create index on test.snapshots (run_id);

    create function test.note_step() returns trigger language plpgsql as $$
    begin
      if old.status <> new.status or new.status <> 'created' and
        (old.started_at, old.completed_at, old.failed_at)
          is distinct from (new.started_at, new.completed_at, new.failed_at) then
        insert into test.changes values (new.run_id, new.step_slug, new.status);
      end if;
      return null;
    end;
    $$;
    create trigger note after update on pgflow.step_states
    for each row execute function test.note_step();

    create function test.note_task() returns trigger language plpgsql as $$
    begin
      if old.status = 'started' and new.status = 'queued' then
        insert into test.changes values (new.run_id, new.step_slug, 'retrying');
      end if;
      return null;
    end;
    $$;
    create trigger note after update on pgflow.step_tasks
    for each row execute function test.note_task();

    create function test.note_run() returns trigger language plpgsql as $$
    begin
      if tg_op = 'INSERT' or (old.status, old.started_at, old.completed_at, old.failed_at)
        is distinct from (new.status, new.started_at, new.completed_at, new.failed_at) then
        insert into test.changes values (new.run_id, null, new.status);
      end if;
      return null;
    end;
    $$;
    create trigger note after insert or update on pgflow.runs
    for each row execute function test.note_run();

    -- Deferred: it runs when everything of the transaction has been sent.
    create function test.note_snapshot() returns trigger language plpgsql as $$
    declare
      v_run_id uuid := new.payload ->> 'run_id';
    begin
      insert into test.snapshots (run_id, run, steps, seq)
      select v_run_id, s.* from pgflow_client.get_run_with_states(v_run_id) as s;
      return null;
    end;
    $$;
    create constraint trigger note_snapshot after insert on realtime.messages
    deferrable initially deferred for each row execute function test.note_snapshot();
  `)
}

/** How often each change of the run happened: what should have been broadcast as often. */
export async function changesOf(db: Queryable, runId: string): Promise<Map<string, number>> {
  const rows = await db.query<{ event: string; times: number }>(
    `select coalesce(step_slug, 'run') || ':' || change as event, count(*)::int as times
     from test.changes where run_id = $1 group by 1`,
    [runId],
  )
  return new Map(rows.map((row) => [row.event, row.times]))
}

/** The snapshot at the end of each transaction that sent something about the run. */
export function committedSnapshots(db: Queryable, runId: string) {
  return db.query<{ run: Record<string, unknown>; steps: Record<string, unknown>[]; seq: number }>(
    `select run, steps, seq::int from (
       select distinct on (xid) * from test.snapshots where run_id = $1 order by xid, position desc
     ) as last order by seq`,
    [runId],
  )
}

/** The seqs of the run's broadcasts in the order in which their transactions committed. */
export async function seqsInCommitOrder(db: Queryable, runId: string): Promise<number[]> {
  const rows = await db.query<{ seq: number }>(
    `select (payload ->> 'seq')::int as seq from realtime.messages as message
     where topic = 'pgflow:run:' || $1
     order by pg_xact_commit_timestamp(message.xmin), (payload ->> 'seq')::int`,
    [runId],
  )
  return rows.map((row) => row.seq)
}
