import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createSqliteHistory } from '../../../src/history/sqlite-history.ts';
import { optional } from '../../../src/lib/optional.ts';
import { describeHistory, type HistoryStore } from '../../support/history-contract.ts';
import { makeTestDirectory } from '../../support/test-directory.ts';

async function makeStore(): Promise<HistoryStore> {
  const directory = await makeTestDirectory('sqlite');
  const path = join(directory.path, 'history.sqlite');
  return {
    open: (mark, now) => createSqliteHistory({ path, mark, ...optional('now', now) }),
    outage: async () => lock(path),
    [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose](),
  };
}

/** Somebody else writes and does not end. */
function lock(path: string) {
  const other = new DatabaseSync(path);
  other.exec('BEGIN IMMEDIATE');
  return { end: async () => other.close() };
}

describeHistory('SQLite', makeStore);
