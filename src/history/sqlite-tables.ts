/** The tables of the SQLite history, and the one row that says who wrote them. */

import type { DatabaseSync } from 'node:sqlite';
import { ConflictError } from '../errors.ts';
import { inTransaction } from '../storage/sqlite.ts';
import { parseMark, planMark, type StoreMark } from '../storage/store-mark.ts';
import { searchTables } from './sqlite-search.ts';

/**
 * `executions.record` is the whole execution as JSON; the columns beside it are what is sorted and summed, and the index
 * holds them all, so neither a page's order nor the totals read a record.
 */
const tables = `
  CREATE TABLE IF NOT EXISTS meta (
    id INTEGER PRIMARY KEY CHECK (id = 1), installation_id TEXT NOT NULL, shape INTEGER NOT NULL,
    written_by TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS executions (
    tenant TEXT NOT NULL, actor_id TEXT NOT NULL, id TEXT NOT NULL, received_at INTEGER NOT NULL,
    cpu_ms REAL NOT NULL, io_bytes REAL NOT NULL, runtime_ms REAL NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (tenant, actor_id, id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS executions_by_arrival
    ON executions (tenant, actor_id, received_at, id, cpu_ms, io_bytes, runtime_ms);
  CREATE TABLE IF NOT EXISTS logs (
    tenant TEXT NOT NULL, actor_id TEXT NOT NULL, execution_id TEXT NOT NULL, inline BLOB, blob TEXT,
    bytes INTEGER NOT NULL, truncated INTEGER NOT NULL, expires_at INTEGER, expired INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, actor_id, execution_id)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS logs_to_expire ON logs (expires_at) WHERE expired = 0 AND expires_at IS NOT NULL;
  CREATE TABLE IF NOT EXISTS results (
    tenant TEXT NOT NULL, actor_id TEXT NOT NULL, execution_id TEXT NOT NULL, place INTEGER NOT NULL,
    inline BLOB, blob TEXT, bytes INTEGER NOT NULL,
    PRIMARY KEY (tenant, actor_id, execution_id, place)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS registry (
    tenant TEXT NOT NULL, kind TEXT NOT NULL, id TEXT NOT NULL, version INTEGER NOT NULL, record TEXT,
    PRIMARY KEY (tenant, kind, id)
  ) STRICT, WITHOUT ROWID;
`;

/** Makes what is missing and checks whose file it is, before anything of it is changed. */
export function openTables(database: DatabaseSync, mark: StoreMark, store: string): void {
  inTransaction(database, () => {
    const plan = planMark(readMark(database, store), mark, store);
    database.exec(tables + searchTables);
    if (plan === 'write') writeMark(database, mark);
  });
}

function readMark(database: DatabaseSync, store: string): StoreMark | undefined {
  const names = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  if (names.length === 0) return undefined;
  if (!names.some(({ name }) => name === 'meta')) {
    throw new ConflictError('storage.foreign', `${store} holds tables of another program: give another path`);
  }
  const query = 'SELECT installation_id AS installationId, shape, written_by AS writtenBy FROM meta';
  return parseMark(database.prepare(query).get(), store);
}

function writeMark(database: DatabaseSync, { installationId, shape, writtenBy }: StoreMark): void {
  database.prepare('INSERT OR REPLACE INTO meta VALUES (1, ?, ?, ?)').run(installationId, shape, writtenBy);
}
