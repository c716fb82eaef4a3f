/** The newest executions in the SQLite history: always along an index that begins with what is asked for. */

import type { SQLInputValue, SQLOutputValue } from 'node:sqlite';
import type { PrepareOnce } from '../storage/sqlite.ts';
import { mergeNewest, type NewestQuery, type Place, type PlacedEntry } from './newest.ts';
import type { SearchFields, SearchScope } from './search.ts';

type Row = Record<string, SQLOutputValue>;

interface PlacedRow extends Place {
  readonly number: number;
}

export async function findNewestInSqlite(
  prepare: PrepareOnce,
  { tenant, actorId, readers }: Omit<SearchScope, 'kind' | 'id'>,
  query: NewestQuery,
): Promise<readonly PlacedEntry[]> {
  if (!readers || actorId !== undefined) {
    return readRows(prepare, 'actor_id, id, time, fields', tenant, actorId, query).map(entryOf);
  }
  // Of many actors most of what is read does not come onto the page, so the fields are read last.
  const read = (actor: string | undefined, asked: NewestQuery): PlacedRow[] =>
    readRows(prepare, 'number, id, time', tenant, actor, asked).map(placeOf);
  const places = await mergeNewest(actorsOf(prepare, tenant, readers), query, 1, ([actor], asked) =>
    read(actor, asked),
  );
  const one = prepare('SELECT actor_id, id, time, fields FROM search WHERE number = ? AND fields IS NOT NULL');
  return places.flatMap(({ number }) => one.all(number).map(entryOf));
}

function readRows(
  prepare: PrepareOnce,
  columns: string,
  tenant: string,
  actorId: string | undefined,
  query: NewestQuery,
): Row[] {
  const { status, from, until, after, limit } = query;
  const where = ['tenant = ?', "kind = 'executions'", 'fields IS NOT NULL'];
  const values: SQLInputValue[] = [tenant];
  const add = (condition: string, ...given: readonly SQLInputValue[]): void => {
    where.push(condition);
    values.push(...given);
  };
  if (actorId !== undefined) add('actor_id = ?', actorId);
  if (status !== undefined) add('status = ?', status);
  if (from) add('time >= ?', from.getTime());
  if (until) add('time < ?', until.getTime());
  if (after) add('(time, id) < (?, ?)', after.time.getTime(), after.id);
  // Named, since SQLite guesses badly about tables it has not analysed; one it cannot use is an error.
  const index = ['search_by', ...(actorId === undefined ? [] : ['actor']), ...(status === undefined ? [] : ['status'])];
  const name = index.length === 1 ? 'search_by_time' : index.join('_');
  return prepare(
    `SELECT ${columns} FROM search INDEXED BY ${name} WHERE ${where.join(' AND ')}
     ORDER BY time DESC, id DESC LIMIT ?`,
  ).all(...values, limit);
}

function placeOf(row: Row): PlacedRow {
  return { number: Number(row['number']), time: new Date(Number(row['time'])), id: String(row['id']) };
}

function entryOf(row: Row): PlacedEntry {
  return {
    actorId: String(row['actor_id']),
    id: String(row['id']),
    time: new Date(Number(row['time'])),
    fields: JSON.parse(String(row['fields'])) as SearchFields,
  };
}

function actorsOf(prepare: PrepareOnce, tenant: string, readers: readonly string[]): readonly string[] {
  const names = readers.map(() => '?').join(', ');
  const rows = prepare(`SELECT DISTINCT actor_id FROM search_readers WHERE tenant = ? AND reader IN (${names})`).all(
    tenant,
    ...readers,
  );
  return rows.map((row) => String(row['actor_id']));
}
