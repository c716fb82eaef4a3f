/**
 * Search in the SQLite history. The index of words is a full text table; attributes with an index of their own are
 * columns; all other conditions are looked at row by row, in steps between which the process does other things.
 */

import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite';
import type { PrepareOnce } from '../storage/sqlite.ts';
import type { FoundEntry, SearchEntry, SearchFields, SearchPage, SearchQuery, SearchScope } from './search.ts';
import { cleanFields, indexedCondition, indexedFields, indexedValue } from './search-entry.ts';
import { compileFilters } from './search-filter.ts';
import { createPage, createPatience } from './search-page.ts';
import { textOf } from './search-text.ts';

/** `search_text.rowid` is that of the entry; it holds no text, only where words are. */
export const searchTables = `
  CREATE TABLE IF NOT EXISTS search (
    number INTEGER PRIMARY KEY, tenant TEXT NOT NULL, kind TEXT NOT NULL, actor_id TEXT NOT NULL, id TEXT NOT NULL,
    version INTEGER NOT NULL, time INTEGER NOT NULL, expires_at INTEGER, fields TEXT, status TEXT, executor TEXT,
    UNIQUE (tenant, kind, id)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS search_by_time ON search (tenant, kind, time, id);
  CREATE INDEX IF NOT EXISTS search_by_actor ON search (tenant, kind, actor_id, time, id);
  CREATE INDEX IF NOT EXISTS search_by_actor_status ON search (tenant, kind, actor_id, status, time, id)
    WHERE status IS NOT NULL;
  CREATE INDEX IF NOT EXISTS search_by_status ON search (tenant, kind, status, time, id) WHERE status IS NOT NULL;
  CREATE INDEX IF NOT EXISTS search_by_executor ON search (tenant, kind, executor, time, id) WHERE executor IS NOT NULL;
  CREATE INDEX IF NOT EXISTS search_to_expire ON search (expires_at) WHERE expires_at IS NOT NULL;
  CREATE TABLE IF NOT EXISTS search_readers (
    tenant TEXT NOT NULL, reader TEXT NOT NULL, actor_id TEXT NOT NULL, PRIMARY KEY (tenant, reader, actor_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS search_readers_of ON search_readers (tenant, actor_id);
  CREATE VIRTUAL TABLE IF NOT EXISTS search_text USING fts5 (
    words, content = '', contentless_delete = 1, tokenize = 'ascii'
  );
`;

type Row = Record<string, SQLOutputValue>;

/** Logs whose time is ended in one step. */
export const expiredAtOnce = 2_000;

export interface SqliteSearch {
  /** Inside the transaction of a batch. */
  write(entry: SearchEntry): void;
  /** Forgets at most `limit` entries whose time has passed. @returns how many. */
  expire(now: Date, limit: number): number;
  /** Ends the time of the logs of an actor, in steps between which the process may do other things. */
  expireOf(actor: { readonly tenant: string; readonly actorId: string }, now: number): Iterable<void>;
  find(scope: SearchScope, query: SearchQuery, now: Date): Promise<SearchPage>;
}

/** Rows read at once. */
const step = 1_000;

export function createSqliteSearch(database: DatabaseSync, prepare: PrepareOnce): SqliteSearch {
  const known = database.prepare('SELECT number, version FROM search WHERE tenant = ? AND kind = ? AND id = ?');
  const put = database.prepare(
    `INSERT INTO search (number, tenant, kind, actor_id, id, version, time, expires_at, fields, status, executor)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
     ON CONFLICT (number) DO UPDATE SET version = excluded.version, time = excluded.time,
       expires_at = excluded.expires_at, fields = excluded.fields, status = excluded.status, executor = excluded.executor
     RETURNING number`,
  );
  const putText = database.prepare('INSERT INTO search_text (rowid, words) VALUES (?, ?)');
  const removeText = database.prepare('DELETE FROM search_text WHERE rowid = ?');
  const removeReaders = database.prepare('DELETE FROM search_readers WHERE tenant = ? AND actor_id = ?');
  const addReader = database.prepare('INSERT INTO search_readers VALUES (?, ?, ?) ON CONFLICT DO NOTHING');
  const expired = database.prepare(
    'DELETE FROM search WHERE number IN (SELECT number FROM search WHERE expires_at <= ? LIMIT ?) RETURNING number',
  );
  const logsAfter = database.prepare(
    `SELECT number, time, id FROM search WHERE tenant = $tenant AND kind = 'logs' AND actor_id = $actorId
       AND (time, id) > ($time, $id) ORDER BY time, id LIMIT $limit`,
  );
  const endTime = database.prepare(
    `UPDATE search SET expires_at = $now WHERE number IN (SELECT value FROM json_each($numbers))
       AND (expires_at IS NULL OR expires_at > $now)`,
  );

  return {
    write(entry) {
      const { tenant, kind, actorId, id, version, time, expiresAt } = entry;
      const before = known.get(tenant, kind, id);
      if (before && Number(before['version']) >= version) return;
      const fields = entry.fields && cleanFields(entry.fields);
      const indexed = indexedFields.map((name) => fields && indexedValue(fields, name));
      const times = [time.getTime(), expiresAt?.getTime() ?? null];
      const row = [tenant, kind, actorId, id, version, ...times, fields && JSON.stringify(fields), ...indexed];
      const number = put.get(before?.['number'] ?? null, ...row)?.['number'] ?? null;
      if (before) removeText.run(number);
      if (fields) putText.run(number, textOf(fields));
      if (kind !== 'actors') return;
      removeReaders.run(tenant, actorId);
      for (const reader of entry.readers ?? []) addReader.run(tenant, reader, actorId);
    },

    expire(now, limit) {
      const gone = expired.all(now.getTime(), limit);
      for (const { number } of gone) removeText.run(number ?? null);
      return gone.length;
    },

    *expireOf(actor, now) {
      for (let after: Row = { time: -1, id: '' }; ; yield) {
        const found = logsAfter.all({
          ...actor,
          time: after['time'] ?? null,
          id: after['id'] ?? null,
          limit: expiredAtOnce,
        });
        const last = found.at(-1);
        if (!last) return;
        endTime.run({ now, numbers: JSON.stringify(found.map(({ number }) => number)) });
        after = last;
      }
    },

    async find(scope, query, now) {
      const plan = planSearch(scope, query, now);
      if (plan.rest.length === 0) return findAtOnce(prepare, plan, query);
      return await findByLooking(prepare, plan, query);
    },
  };
}

interface Plan {
  readonly where: string;
  readonly values: readonly SQLInputValue[];
  readonly score: string;
  readonly scoreValues: readonly SQLInputValue[];
  /** Conditions that no index answers. */
  readonly rest: SearchQuery['filters'];
}

function planSearch({ tenant, kind, actorId, id, readers }: SearchScope, query: SearchQuery, now: Date): Plan {
  const where: string[] = ['tenant = ?', 'kind = ?', 'fields IS NOT NULL', '(expires_at IS NULL OR expires_at > ?)'];
  const values: SQLInputValue[] = [tenant, kind, now.getTime()];
  const add = (condition: string, ...given: readonly SQLInputValue[]): void => {
    where.push(condition);
    values.push(...given);
  };
  if (actorId !== undefined) add('actor_id = ?', actorId);
  if (id !== undefined) add('id = ?', id);
  if (readers) {
    const names = readers.map(() => '?').join(', ');
    const theirs = `SELECT actor_id FROM search_readers WHERE tenant = ? AND reader IN (${names})`;
    add(`actor_id IN (${theirs})`, tenant, ...readers);
  }
  if (query.phrase !== '') add(`number IN (${withWords})`, quoted(query.phrase));
  for (const filter of query.filters) {
    const indexed = indexedCondition(filter);
    if (indexed) add(`${indexed.name} = ?`, indexed.value);
  }
  return {
    where: where.join(' AND '),
    values,
    score: query.words.length === 0 ? '0' : query.words.map(() => `(number IN (${withWords}))`).join(' + '),
    scoreValues: query.words.map(quoted),
    rest: query.filters.filter((filter) => indexedCondition(filter) === undefined),
  };
}

const withWords = 'SELECT rowid FROM search_text WHERE search_text MATCH ?';

/** Words hold no quotes. */
function quoted(words: string): string {
  return `"${words.trim()}"`;
}

function findAtOnce(prepare: PrepareOnce, plan: Plan, { skip, limit }: SearchQuery): SearchPage {
  const { where, values, score, scoreValues } = plan;
  const rows = prepare(
    `SELECT actor_id, id, fields, ${score} AS score FROM search WHERE ${where}
     ORDER BY score DESC, time, id LIMIT ? OFFSET ?`,
  ).all(...scoreValues, ...values, limit, skip);
  const entries = rows.map(entryOf);
  // A page that is not full is the last one.
  if (rows.length < limit && (rows.length > 0 || skip === 0)) return { total: skip + rows.length, entries };
  const counted = prepare(`SELECT count(*) AS total FROM search WHERE ${where}`).get(...values);
  return { total: Number(counted?.['total'] ?? 0), entries };
}

async function findByLooking(prepare: PrepareOnce, plan: Plan, query: SearchQuery): Promise<SearchPage> {
  const patience = createPatience();
  const holds = compileFilters(plan.rest, patience);
  const page = createPage(query);
  const rows = prepare(
    `SELECT actor_id, id, fields, time, ${plan.score} AS score FROM search
     WHERE ${plan.where} AND (time, id) > (?, ?) ORDER BY time, id LIMIT ${step}`,
  );
  let after: SQLInputValue[] = [Number.MIN_SAFE_INTEGER, ''];
  for (;;) {
    const found = rows.all(...plan.scoreValues, ...plan.values, ...after);
    for (const row of found) {
      const rest = patience();
      if (rest) await rest;
      const entry = entryOf(row);
      if (await holds(entry.fields)) page.add(entry, Number(row['score']));
    }
    const last = found.at(-1);
    if (!last || found.length < step) return page.finish();
    after = [last['time'] ?? null, last['id'] ?? null];
  }
}

function entryOf(row: Row): FoundEntry {
  return {
    actorId: String(row['actor_id']),
    id: String(row['id']),
    fields: JSON.parse(String(row['fields'])) as SearchFields,
  };
}
