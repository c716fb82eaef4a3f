/** The newest executions in the SQLite history: always along an index that begins with what is asked for. */

import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { mergeNewest, type NewestQuery, type Place, type PlacedEntry } from './newest.ts';
import type { SearchFields, SearchScope } from './search.ts';

interface Row extends Place {
  readonly number: number;
}

export async function findNewestInSqlite(
  database: DatabaseSync,
  { tenant, actorId, readers }: Omit<SearchScope, 'kind' | 'id'>,
  query: NewestQuery,
): Promise<readonly PlacedEntry[]> {
  const read = (actor: string | undefined, asked: NewestQuery): Row[] => readRows(database, tenant, actor, asked);
  const rows =
    readers && actorId === undefined
      ? await mergeNewest(actorsOf(database, tenant, readers), query, 1, ([actor], asked) => read(actor, asked))
      : read(actorId, query);
  const one = database.prepare('SELECT actor_id, fields FROM search WHERE number = ?');
  return rows.flatMap(({ number, time, id }) => {
    const found = one.get(number);
    if (!found) return [];
    const fields = JSON.parse(String(found['fields'])) as SearchFields;
    return [{ actorId: String(found['actor_id']), id, time, fields }];
  });
}

function readRows(database: DatabaseSync, tenant: string, actorId: string | undefined, query: NewestQuery): Row[] {
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
  const rows = database
    .prepare(
      `SELECT number, time, id FROM search INDEXED BY ${name} WHERE ${where.join(' AND ')}
       ORDER BY time DESC, id DESC LIMIT ?`,
    )
    .all(...values, limit);
  return rows.map((row) => ({
    number: Number(row['number']),
    time: new Date(Number(row['time'])),
    id: String(row['id']),
  }));
}

function actorsOf(database: DatabaseSync, tenant: string, readers: readonly string[]): readonly string[] {
  const names = readers.map(() => '?').join(', ');
  const rows = database
    .prepare(`SELECT DISTINCT actor_id FROM search_readers WHERE tenant = ? AND reader IN (${names})`)
    .all(tenant, ...readers);
  return rows.map((row) => String(row['actor_id']));
}
