/**
 * Search in the MongoDB history, without the server's text search: the words of an entry are an indexed array, its
 * attributes a list of leaves. Patterns are matched here, on what all other conditions have left.
 */

import type { AnyBulkWriteOperation, Collection, Document } from 'mongodb';
import type {
  Filter,
  FilterValue,
  FoundEntry,
  SearchEntry,
  SearchFields,
  SearchPage,
  SearchQuery,
  SearchScope,
} from './search.ts';
import { cleanFields, indexedCondition, indexedFields, indexedValue, leavesOf } from './search-entry.ts';
import { canonicalText, compileFilters, isStructure } from './search-filter.ts';
import { createPage, createPatience } from './search-page.ts';
import { textOf } from './search-text.ts';

type Write = AnyBulkWriteOperation;

/** As for the registry: first what is unknown is added, then, in a second bulk, what is known gets newer. */
export function writeSearch(entries: readonly SearchEntry[]): { readonly added: Write[]; readonly raised: Write[] } {
  const documents = entries.map(documentOf);
  return {
    added: documents.map(({ key, version, rest }) => ({
      updateOne: { filter: key, update: { $setOnInsert: { version, ...rest } }, upsert: true },
    })),
    raised: documents.map(({ key, version, rest }) => ({
      replaceOne: { filter: { ...key, version: { $lt: version } }, replacement: { ...key, version, ...rest } },
    })),
  };
}

/** `fields` is JSON text: names in it are the users' and may hold what MongoDB does not allow in a name. */
function documentOf({ kind, tenant, actorId, id, version, time, expiresAt, readers, ...entry }: SearchEntry) {
  const key = { tenant, kind, id };
  if (entry.fields === null) return { key, version, rest: { actorId, time, gone: true } };
  const fields = cleanFields(entry.fields);
  const text = textOf(fields);
  const indexed = indexedFields.map((name) => [name, indexedValue(fields, name)] as const);
  const rest: Document = {
    actorId,
    time,
    gone: false,
    fields: JSON.stringify(fields),
    leaves: leavesOf(fields),
    text,
    words: [...new Set(text.trim().split(' '))],
    ...Object.fromEntries(indexed.filter(([, value]) => value !== null)),
    ...(expiresAt && { expiresAt }),
    ...(readers && { readers }),
  };
  return { key, version, rest };
}

export async function findInMongo(
  collection: Collection,
  scope: SearchScope,
  query: SearchQuery,
  now: Date,
): Promise<SearchPage> {
  const where = await whereOf(collection, scope, query, now);
  const order = { score: -1, time: 1, id: 1 } as const;
  const found = [
    { $match: where },
    { $project: { _id: 0, actorId: 1, id: 1, fields: 1, time: 1, score: scoreOf(query.words) } },
  ];
  const patterns = query.filters.filter(({ op }) => op === 'like' || op === 'nlike');
  if (patterns.length > 0) return await findByLooking(collection, found, query, patterns);
  const total = await collection.countDocuments(where);
  if (query.limit === 0) return { total, entries: [] };
  const pipeline = [...found, { $sort: order }, { $skip: query.skip }, { $limit: query.limit }];
  const documents = await collection.aggregate<FoundDocument>(pipeline).toArray();
  return { total, entries: documents.map(entryOf) };
}

interface FoundDocument {
  readonly actorId: string;
  readonly id: string;
  readonly fields: string;
  readonly score: number;
}

async function findByLooking(
  collection: Collection,
  found: Document[],
  query: SearchQuery,
  patterns: readonly Filter[],
): Promise<SearchPage> {
  const patience = createPatience();
  const holds = compileFilters(patterns, patience);
  const page = createPage(query);
  for await (const document of collection.aggregate<FoundDocument>([...found, { $sort: { time: 1, id: 1 } }])) {
    const rest = patience();
    if (rest) await rest;
    const entry = entryOf(document);
    if (await holds(entry.fields)) page.add(entry, document.score);
  }
  return page.finish();
}

/** How many of the words it holds. */
function scoreOf(words: readonly string[]): Document {
  if (words.length === 0) return { $literal: 0 };
  return { $size: { $setIntersection: ['$words', words] } };
}

async function whereOf(
  collection: Collection,
  { tenant, kind, actorId, id, readers }: SearchScope,
  { phrase, filters }: SearchQuery,
  now: Date,
): Promise<Document> {
  const and: Document[] = [{ $or: [{ expiresAt: { $exists: false } }, { expiresAt: { $gt: now } }] }];
  if (actorId !== undefined) and.push({ actorId });
  if (id !== undefined) and.push({ id });
  if (readers) and.push({ actorId: { $in: await actorsOf(collection, tenant, readers) } });
  if (phrase !== '') {
    // Literal text, so no pattern: words hold nothing that means more than itself.
    and.push({ words: { $all: phrase.trim().split(' ') } }, { text: { $regex: phrase } });
  }
  for (const filter of filters) and.push(...conditionOf(filter));
  return { tenant, kind, gone: false, $and: and };
}

/** Actors of which one of the names is a reader. */
export async function actorsOf(collection: Collection, tenant: string, readers: readonly string[]): Promise<string[]> {
  const theirs = { tenant, kind: 'actors', gone: false, readers: { $in: readers } };
  const documents = await collection.find(theirs, { projection: { _id: 0, actorId: 1 } }).toArray();
  return documents.map((document) => String(document['actorId']));
}

/** Nothing for a pattern. */
function conditionOf(filter: Filter): Document[] {
  const indexed = indexedCondition(filter);
  if (indexed) return [{ [indexed.name]: indexed.value }];
  const p = filter.path.join('.');
  switch (filter.op) {
    case 'eq':
      return [equal(p, filter.value)];
    case 'neq':
      return [{ $nor: [equal(p, filter.value)] }];
    case 'in':
      return [filter.values.length === 0 ? nothing : { $or: filter.values.map((value) => equal(p, value)) }];
    case 'nin':
      return filter.values.length === 0 ? [] : [{ $nor: filter.values.map((value) => equal(p, value)) }];
    case 'between':
      return [{ leaves: { $elemMatch: { p, v: { $gte: filter.range[0], $lte: filter.range[1] } } } }];
    case 'lt':
    case 'lte':
    case 'gt':
    case 'gte':
      return [{ leaves: { $elemMatch: { p, v: { [`$${filter.op}`]: filter.value } } } }];
    default:
      return [];
  }
}

const nothing: Document = { gone: { $exists: false } };

function equal(p: string, value: FilterValue): Document {
  if (value === null) {
    return { $or: [{ leaves: { $elemMatch: { p, n: 1 } } }, { leaves: { $not: { $elemMatch: { p } } } }] };
  }
  if (!isStructure(value)) return { leaves: { $elemMatch: { p, v: value } } };
  const j = canonicalText(value);
  return j === undefined ? nothing : { leaves: { $elemMatch: { p, j } } };
}

function entryOf({ actorId, id, fields }: FoundDocument): FoundEntry {
  return { actorId, id, fields: JSON.parse(fields) as SearchFields };
}
