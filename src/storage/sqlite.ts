/** Opens the one SQLite file of an installation without a MongoDB, and says its failures in our words. */

import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { asError, ConflictError, ServiceError, UnavailableError } from '../errors.ts';

/** How long a call may stand still for somebody else's lock, a backup say: it blocks the whole process meanwhile. */
const lockTimeoutMs = 200;

/**
 * Opens or makes the file (`:memory:` for none). What a transaction has written is on the disk when it is over: WAL, and
 * a sync at every commit.
 */
export function openSqlite(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(path, { timeout: lockTimeoutMs });
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    return database;
  } catch (thrown) {
    database?.close();
    throw asSqliteError(thrown, path);
  }
}

export type PrepareOnce = (text: string) => StatementSync;

/** Statements whose text depends on what is asked; a few texts are most of what is. */
const mostPrepared = 100;

/** Prepares a text the first time it is given. A statement is used up before the next `await`. */
export function createPrepareOnce(database: DatabaseSync): PrepareOnce {
  const prepared = new Map<string, StatementSync>();
  return (text) => {
    const before = prepared.get(text);
    if (before) return before;
    if (prepared.size === mostPrepared) prepared.clear();
    const statement = database.prepare(text);
    prepared.set(text, statement);
    return statement;
  };
}

/** Runs `work` in one transaction: all of it is kept, or nothing. */
export function inTransaction<T>(database: DatabaseSync, work: () => T): T {
  database.exec('BEGIN IMMEDIATE');
  try {
    const value = work();
    database.exec('COMMIT');
    return value;
  } catch (thrown) {
    // A full disk ends the transaction by itself.
    if (database.isTransaction) database.exec('ROLLBACK');
    throw thrown;
  }
}

const notADatabase = 26;

/** Failures of SQLite as `history.unavailable`; what is no failure of SQLite stays itself. */
export function asSqliteError(thrown: unknown, path: string): Error {
  const error: Error & { code?: unknown; errcode?: unknown } = asError(thrown);
  if (error instanceof ServiceError) return error;
  if (error.errcode === notADatabase) {
    const message = `File "${path}" is not an SQLite database, so it is not our history: give another path`;
    return new ConflictError('storage.foreign', message, { cause: error });
  }
  if (error.code !== 'ERR_SQLITE_ERROR' && error.code !== 'ERR_INVALID_STATE') return error;
  return new UnavailableError('history.unavailable', `History "${path}" cannot be used: ${error.message}`, {
    cause: error,
  });
}
