/**
 * The history in one SQLite file, for an installation without a MongoDB.
 *
 * Calls into SQLite block the process, so a batch is one transaction: 2,000 executions cost one sync of the disk.
 */

import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite';
import { setImmediate } from 'node:timers/promises';
import type { LogRef } from '../executions/execution.ts';
import { asSqliteError, createPrepareOnce, inTransaction, openSqlite, type PrepareOnce } from '../storage/sqlite.ts';
import type { StoreMark } from '../storage/store-mark.ts';
import {
  type BodyRecord,
  bodyOf,
  bodyRecordOf,
  type ExecutionRecord,
  executionOf,
  expiredLog,
} from './execution-record.ts';
import type {
  ActorKey,
  Booked,
  EndedExecution,
  ExecutionTotals,
  ExpiredLogs,
  History,
  HistoryBatch,
  RegistryRecord,
} from './history.ts';
import { findNewestInSqlite } from './sqlite-newest.ts';
import { createSqliteSearch, expiredAtOnce, type SqliteSearch } from './sqlite-search.ts';
import { openTables } from './sqlite-tables.ts';

export interface SqliteHistoryOptions {
  /** The file, or `:memory:`. Its directory has to be there. */
  readonly path: string;
  readonly mark: StoreMark;
  /** The time that decides whether a log reads as empty. */
  readonly now?: () => Date;
}

type Row = Record<string, SQLOutputValue>;
type Statements = ReturnType<typeof prepareStatements>;

/** Opens the file, or makes it. Rejects with `storage.foreign` where another installation or a newer version wrote it. */
export async function createSqliteHistory(options: SqliteHistoryOptions): Promise<History> {
  const { path, mark, now = () => new Date() } = options;
  const database = openSqlite(path);
  const { statements, search, prepare } = setUp(database, mark, path);

  async function guarded<T>(work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (thrown) {
      throw asSqliteError(thrown, path);
    }
  }

  return {
    write: (batch) => guarded(() => inTransaction(database, () => writeBatch(statements, search, batch))),

    execution: (...key) => guarded(() => asExecution(statements.execution.get(...key))),

    account: (booked) =>
      guarded(() => inTransaction(database, () => booked.map((one) => writeBooked(statements, one)))),

    executions: (tenant, actorId, { before, limit }) =>
      guarded(() => {
        const page =
          before === undefined
            ? statements.firstPage.all(tenant, actorId, limit)
            : statements.nextPage.all({ tenant, actorId, before, limit });
        return page.map((row) => executionOf(recordIn(row)));
      }),

    totals: (...actor) => guarded(() => statements.totals.get(...actor) as unknown as ExecutionTotals),

    log: (...key) => guarded(() => asLog(statements.log.get(...key), now())),

    results: (...key) => guarded(() => statements.results.all(...key).map((row) => bodyOf(bodyIn(row)))),

    expiredBlobs: (at, limit) => guarded(() => blobsIn(statements.expired.all(at.getTime(), limit))),

    expireLogs: (at, limit) =>
      guarded(() => {
        const found = search.expire(at, limit);
        const { count, blobs } = expireLogs(statements, at, limit);
        return { count: Math.max(found, count), blobs };
      }),

    expireLogsOf: (tenant, actorId, at) =>
      guarded(async () => {
        const [actor, time] = [{ tenant, actorId }, at.getTime()];
        for (const _ of expireLogsOf(statements, actor, time)) await setImmediate();
        for (const _ of search.expireOf(actor, time)) await setImmediate();
      }),

    registry: (...key) => guarded(() => asRegistry(statements.registry.get(...key))),

    search: (scope, query) => guarded(() => search.find(scope, query, now())),

    newest: (scope, query) => guarded(() => findNewestInSqlite(prepare, scope, query)),

    totalsByActor: () => guarded(() => statements.totalsByActor.all() as unknown as (ExecutionTotals & ActorKey)[]),

    ping: () => guarded(() => inTransaction(database, () => undefined)),

    async close() {
      if (database.isOpen) database.close();
    },
  };
}

function setUp(
  database: DatabaseSync,
  mark: StoreMark,
  path: string,
): { statements: Statements; search: SqliteSearch; prepare: PrepareOnce } {
  try {
    openTables(database, mark, `History "${path}"`);
    const prepare = createPrepareOnce(database);
    return { statements: prepareStatements(database), search: createSqliteSearch(database, prepare), prepare };
  } catch (thrown) {
    database.close();
    throw asSqliteError(thrown, path);
  }
}

function prepareStatements(database: DatabaseSync) {
  const one = 'WHERE tenant = ? AND actor_id = ? AND execution_id = ?';
  const newestFirst = 'ORDER BY received_at DESC, id DESC LIMIT';
  const nextExpired = 'WHERE expired = 0 AND expires_at <= ? ORDER BY expires_at LIMIT ?';
  return {
    addExecution: database.prepare('INSERT INTO executions VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING'),
    addLog: database.prepare(
      `INSERT INTO logs (tenant, actor_id, execution_id, inline, blob, bytes, truncated, expires_at)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ),
    addResult: database.prepare('INSERT INTO results VALUES (?, ?, ?, ?, ?, ?, ?)'),
    setRegistry: database.prepare(
      `INSERT INTO registry VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET version = excluded.version, record = excluded.record WHERE excluded.version > version`,
    ),
    execution: database.prepare('SELECT record FROM executions WHERE tenant = ? AND actor_id = ? AND id = ?'),
    account: database.prepare(
      `UPDATE executions SET record = json_set(record, '$.accounting', json($accounting), '$.node', $node)
       WHERE tenant = $tenant AND actor_id = $actorId AND id = $id`,
    ),
    firstPage: database.prepare(`SELECT record FROM executions WHERE tenant = ? AND actor_id = ? ${newestFirst} ?`),
    nextPage: database.prepare(
      `SELECT record FROM executions WHERE tenant = $tenant AND actor_id = $actorId AND (received_at, id) < (
         SELECT received_at, id FROM executions WHERE tenant = $tenant AND actor_id = $actorId AND id = $before
       ) ${newestFirst} $limit`,
    ),
    totals: database.prepare(
      `SELECT count(*) AS count, total(cpu_ms) AS cpuMs, total(io_bytes) AS ioBytes, total(runtime_ms) AS runtimeMs
       FROM executions WHERE tenant = ? AND actor_id = ?`,
    ),
    totalsByActor: database.prepare(
      `SELECT tenant, actor_id AS actorId, count(*) AS count, total(cpu_ms) AS cpuMs, total(io_bytes) AS ioBytes,
         total(runtime_ms) AS runtimeMs
       FROM executions GROUP BY tenant, actor_id`,
    ),
    log: database.prepare(`SELECT * FROM logs ${one}`),
    results: database.prepare(`SELECT inline, blob, bytes FROM results ${one} ORDER BY place`),
    expired: database.prepare(`SELECT blob FROM logs ${nextExpired}`),
    takeExpired: database.prepare(
      `UPDATE logs SET expired = 1, inline = NULL, bytes = 0 WHERE rowid IN (SELECT rowid FROM logs ${nextExpired})
       RETURNING blob`,
    ),
    logsAfter: database.prepare(
      `SELECT execution_id AS id FROM logs WHERE tenant = $tenant AND actor_id = $actorId AND execution_id > $after
       ORDER BY execution_id LIMIT $limit`,
    ),
    expireOf: database.prepare(
      `UPDATE logs SET expires_at = $now WHERE tenant = $tenant AND actor_id = $actorId
         AND execution_id > $after AND execution_id <= $last
         AND expired = 0 AND (expires_at IS NULL OR expires_at > $now)`,
    ),
    registry: database.prepare('SELECT * FROM registry WHERE tenant = ? AND kind = ? AND id = ?'),
  };
}

function writeBatch(statements: Statements, search: SqliteSearch, batch: HistoryBatch): void {
  for (const ended of batch.executions) writeEnded(statements, ended);
  for (const { tenant, kind, id, version, record } of batch.registry) {
    statements.setRegistry.run(tenant, kind, id, version, record && JSON.stringify(record));
  }
  for (const entry of batch.search ?? []) search.write(entry);
}

/** An execution that is there keeps its first end, its log and its results. */
function writeEnded(statements: Statements, { execution, log, logExpiresAt, results }: EndedExecution): void {
  const { tenant, actorId, id, receivedAt, usage } = execution;
  const sums = [usage?.cpuMs ?? 0, usage?.ioBytes ?? 0, usage?.runtimeMs ?? 0];
  const row = [tenant, actorId, id, receivedAt.getTime(), ...sums, JSON.stringify(execution)];
  if (statements.addExecution.run(...row).changes === 0) return;

  const key = [tenant, actorId, id];
  const expiresAt = logExpiresAt?.getTime() ?? null;
  statements.addLog.run(...key, ...bodyColumns(log.body), log.truncated ? 1 : 0, expiresAt);
  results.forEach((body, place) => statements.addResult.run(...key, place, ...bodyColumns(body)));
}

/** @returns whether it is here. */
function writeBooked({ account }: Statements, { tenant, actorId, executionId: id, accounting }: Booked): boolean {
  const written = { accounting: JSON.stringify(accounting), node: accounting.nodes };
  return Number(account.run({ tenant, actorId, id, ...written }).changes) > 0;
}

function bodyColumns(body: LogRef['body']): SQLInputValue[] {
  const { inline, blob, bytes } = bodyRecordOf(body);
  return [inline, blob, bytes];
}

function expireLogs(statements: Statements, at: Date, limit: number): ExpiredLogs {
  const taken = statements.takeExpired.all(at.getTime(), limit);
  return { count: taken.length, blobs: blobsIn(taken) };
}

function blobsIn(rows: readonly Row[]): readonly string[] {
  return rows.map(({ blob }) => blob).filter((blob) => typeof blob === 'string');
}

/** In steps, between which the process may do other things. */
function* expireLogsOf(statements: Statements, actor: ActorKey, now: number): Generator<void> {
  for (let after = ''; ; yield) {
    const ids = statements.logsAfter.all({ ...actor, after, limit: expiredAtOnce }).map(({ id }) => String(id));
    const last = ids.at(-1);
    if (last === undefined) return;
    statements.expireOf.run({ ...actor, after, last, now });
    after = last;
  }
}

function asExecution(row: Row | undefined) {
  return row && executionOf(recordIn(row));
}

function recordIn(row: Row): ExecutionRecord {
  return JSON.parse(String(row['record'])) as ExecutionRecord;
}

function bodyIn(row: Row): BodyRecord {
  return row as unknown as BodyRecord;
}

function asLog(row: Row | undefined, now: Date): LogRef | undefined {
  if (row === undefined) return undefined;
  const expiresAt = row['expires_at'] as number | null;
  if (row['expired'] === 1 || (expiresAt !== null && expiresAt <= now.getTime())) return expiredLog();
  return { body: bodyOf(bodyIn(row)), truncated: row['truncated'] === 1 };
}

function asRegistry(row: Row | undefined): RegistryRecord | undefined {
  if (row === undefined) return undefined;
  const { tenant, kind, id, version, record } = row as unknown as RegistryRecord & { record: string | null };
  return {
    tenant,
    kind,
    id,
    version,
    record: record === null ? null : (JSON.parse(record) as Record<string, unknown>),
  };
}
