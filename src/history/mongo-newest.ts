/** The newest executions in the MongoDB history. */

import type { Collection, Document } from 'mongodb';
import { actorsOf } from './mongo-search.ts';
import { mergeNewest, type NewestQuery, type PlacedEntry } from './newest.ts';
import type { SearchFields, SearchScope } from './search.ts';

/** Actors of one question: the server merges so many ranges of an index without sorting. */
const actorsAtOnce = 100;

export async function findNewestInMongo(
  collection: Collection,
  { tenant, actorId, readers }: Omit<SearchScope, 'kind' | 'id'>,
  query: NewestQuery,
): Promise<readonly PlacedEntry[]> {
  const read = async (of: Document, { status, from, until, after, limit }: NewestQuery): Promise<PlacedEntry[]> => {
    const and: Document[] = [];
    if (from) and.push({ time: { $gte: from } });
    if (until) and.push({ time: { $lt: until } });
    if (after) {
      and.push({ time: { $lte: after.time } });
      and.push({ $or: [{ time: { $lt: after.time } }, { time: after.time, id: { $lt: after.id } }] });
    }
    const where: Document = { tenant, kind: 'executions', ...of, gone: false };
    if (status !== undefined) where['status'] = status;
    if (and.length > 0) where['$and'] = and;
    const found = collection
      .find(where, { projection: { _id: 0, actorId: 1, id: 1, fields: 1, time: 1 } })
      .sort({ time: -1, id: -1 })
      .limit(limit);
    return (await found.toArray()).map(entryOf);
  };
  if (actorId !== undefined) return await read({ actorId }, query);
  if (!readers) return await read({}, query);
  const actors = await actorsOf(collection, tenant, readers);
  return await mergeNewest(actors, query, actorsAtOnce, (some, asked) => read({ actorId: { $in: some } }, asked));
}

function entryOf(document: Document): PlacedEntry {
  const { actorId, id, fields, time } = document as Omit<PlacedEntry, 'fields'> & { readonly fields: string };
  return { actorId, id, time, fields: JSON.parse(fields) as SearchFields };
}
