import { stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, it } from 'vitest';
import { createSqliteHistory } from '../../../src/history/sqlite-history.ts';
import { openSqlite } from '../../../src/storage/sqlite.ts';
import { makeTestDirectory } from '../../support/test-directory.ts';

const mark = { installationId: 'here', shape: 1, writtenBy: 'abaco 0.1.0' };

it('keeps a history in memory where no file is wanted', async () => {
  const history = await createSqliteHistory({ path: ':memory:', mark });
  await expect(history.ping()).resolves.toBeUndefined();
  await history.close();
});

it('says that the history is unavailable where its directory is not there', async () => {
  await using directory = await makeTestDirectory('sqlite');
  const path = join(directory.path, 'missing', 'history.sqlite');
  await expect(createSqliteHistory({ path, mark })).rejects.toMatchObject({
    code: 'history.unavailable',
    message: expect.stringContaining(path),
  });
});

it('refuses a file that is no database, and leaves it as it is', async () => {
  await using directory = await makeTestDirectory('sqlite');
  const path = join(directory.path, 'notes.txt');
  await writeFile(path, 'notes '.repeat(1000));
  await expect(createSqliteHistory({ path, mark })).rejects.toMatchObject({ code: 'storage.foreign' });
  expect(await stat(path)).toMatchObject({ size: 6000 });
});

it('refuses the database of another program, and makes no table in it', async () => {
  await using directory = await makeTestDirectory('sqlite');
  const path = join(directory.path, 'other.sqlite');
  using other = new DatabaseSync(path);
  other.exec('CREATE TABLE executions (name TEXT)');
  await expect(createSqliteHistory({ path, mark })).rejects.toMatchObject({
    code: 'storage.foreign',
    message: expect.stringContaining('tables of another program'),
  });
  expect(other.prepare('SELECT count(*) AS n FROM sqlite_schema').get()).toEqual({ n: 1 });
});

it('lets others read while it writes, and syncs the disk at every commit', async () => {
  await using directory = await makeTestDirectory('sqlite');
  using database = openSqlite(join(directory.path, 'history.sqlite'));
  expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
  expect(database.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
});
