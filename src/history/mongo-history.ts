/**
 * The history in MongoDB: plain operations only, no transaction and no text search, so that every server that speaks the
 * protocol will do.
 *
 * An execution is written last, after its log and its results, and says how many results are its own. So whoever finds
 * the execution finds the rest.
 */

import type { AnyBulkWriteOperation, Db, Filter } from 'mongodb';
import { UnavailableError } from '../errors.ts';
import type { Execution } from '../executions/execution.ts';
import {
  asMongoError,
  connectMongo,
  databaseOf,
  ensureIndexes,
  isOnlyDuplicates,
  type MongoOptions,
} from '../storage/mongo.ts';
import { parseMark, planMark, type StoreMark } from '../storage/store-mark.ts';
import { bodyOf, executionOf } from './execution-record.ts';
import type { ActorKey, Booked, ExecutionTotals, ExpiredLogs, History, HistoryBatch } from './history.ts';
import {
  type ExecutionDocument,
  type LogDocument,
  logOf,
  type RegistryDocument,
  type ResultDocument,
  registryOf,
  writeExecution,
  writeLog,
  writeRegistry,
  writeResults,
} from './mongo-documents.ts';
import { findNewestInMongo } from './mongo-newest.ts';
import { findInMongo, writeSearch } from './mongo-search.ts';

export interface MongoHistoryOptions extends MongoOptions {
  readonly mark: StoreMark;
  /** The time that decides whether a log reads as empty. */
  readonly now?: () => Date;
  readonly log?: { warn(details: object, text: string): void };
}

/**
 * Opens the database. Rejects with `storage.foreign` where another installation or a newer version wrote it.
 *
 * Where MongoDB does not answer, the start goes on: an outage of the history hides only what is old. The mark is then
 * checked before the first call that gets through.
 */
export async function createMongoHistory(options: MongoHistoryOptions): Promise<History> {
  const { now = () => new Date(), log } = options;
  let connection: Promise<Connection> | undefined;
  let closed = false;

  function connect(): Promise<Connection> {
    if (closed) throw new UnavailableError('history.unavailable', 'History in MongoDB is closed');
    connection ??= openConnection(options).catch((thrown: unknown) => {
      connection = undefined;
      throw thrown;
    });
    return connection;
  }

  async function guarded<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    try {
      return await work(await connect());
    } catch (thrown) {
      throw asMongoError(thrown);
    }
  }

  const history: History = {
    write: (batch) => guarded((to) => writeBatch(to, batch)),

    execution: (tenant, actorId, id) =>
      guarded(async ({ executions }) => {
        const document = await executions.findOne({ tenant, actorId, id }, ofExecution);
        return document === null ? undefined : executionOf(document);
      }),

    account: (booked) => guarded(({ executions }) => Promise.all(booked.map((one) => writeBooked(executions, one)))),

    executions: (tenant, actorId, page) => guarded((from) => readPage(from, { tenant, actorId }, page)),

    totals: (tenant, actorId) => guarded((from) => readTotals(from, { tenant, actorId })),

    log: (tenant, actorId, executionId) =>
      guarded(async ({ logs }) => {
        const document = await logs.findOne({ tenant, actorId, executionId });
        return document === null ? undefined : logOf(document, now());
      }),

    results: (tenant, actorId, id) =>
      guarded(async ({ executions, results }) => {
        const execution = await executions.findOne({ tenant, actorId, id }, { projection: { _id: 0, results: 1 } });
        const theirs = { tenant, actorId, executionId: id, place: { $lt: execution?.results ?? 0 } };
        const documents = await results.find(theirs).sort({ place: 1 }).toArray();
        return documents.map(({ body }) => bodyOf(body));
      }),

    expiredBlobs: (at, limit) =>
      guarded(async ({ logs }) => {
        const due = await logs.find({ expiresAt: { $lte: at } }, { sort: { expiresAt: 1 }, limit }).toArray();
        return due.flatMap(({ body }) => body.blob ?? []);
      }),

    expireLogs: (at, limit) => guarded((from) => expireLogs(from, at, limit)),

    expireLogsOf: (tenant, actorId, at) =>
      guarded(async ({ logs, search }) => {
        // Also where there is no time.
        const later = { tenant, actorId, expiresAt: { $not: { $lte: at } } };
        await logs.updateMany({ ...later, expired: { $ne: true } }, { $set: { expiresAt: at } });
        await search.updateMany({ ...later, kind: 'logs' }, { $set: { expiresAt: at } });
      }),

    registry: (tenant, kind, id) =>
      guarded(async ({ registry }) => {
        const document = await registry.findOne({ tenant, kind, id });
        return document === null ? undefined : registryOf(document);
      }),

    search: (scope, query) => guarded(({ search }) => findInMongo(search, scope, query, now())),

    newest: (scope, query) => guarded(({ search }) => findNewestInMongo(search, scope, query)),

    totalsByActor: () => guarded(readTotalsByActor),

    ping: () => guarded(async ({ database }) => void (await database.command({ ping: 1 }))),

    async close() {
      closed = true;
      const last = await connection?.catch(() => undefined);
      await last?.client.close();
    },
  };

  await history.ping().catch((thrown: unknown) => {
    if (!(thrown instanceof UnavailableError)) throw thrown;
    log?.warn({ err: thrown }, 'history did not answer at start');
  });
  return history;
}

type Connection = Awaited<ReturnType<typeof openConnection>>;
type Collections = ReturnType<typeof collectionsOf>;

/** All of a document that is the execution's own. */
const ofExecution = { projection: { _id: 0, results: 0 } };

function collectionsOf(database: Db) {
  return {
    executions: database.collection<ExecutionDocument>('executions'),
    logs: database.collection<LogDocument & ActorKey & { executionId: string }>('logs'),
    results: database.collection<ResultDocument & ActorKey & { executionId: string }>('results'),
    registry: database.collection<RegistryDocument>('registry'),
    search: database.collection('search'),
    bulk: (name: 'executions' | 'logs' | 'results' | 'registry' | 'search') => database.collection(name),
  };
}

/** A client heals itself once it was connected; one whose first connection failed is of no use any more. */
async function openConnection(options: MongoHistoryOptions) {
  const client = connectMongo(options);
  try {
    const database = databaseOf(client, options);
    await setUp(database, options.mark);
    return { client, database, ...collectionsOf(database) };
  } catch (thrown) {
    await client.close();
    throw thrown;
  }
}

/** Checks whose database it is before anything of it is changed. Of several first starts at once one mark stands. */
async function setUp(database: Db, mark: StoreMark): Promise<void> {
  const store = `History in MongoDB database "${database.databaseName}"`;
  const meta = database.collection<StoreMark & { _id: string }>('meta');
  const upsert = { upsert: true, returnDocument: 'after' } as const;
  const found = await meta.findOneAndUpdate({ _id: 'mark' }, { $setOnInsert: mark }, upsert);
  if (planMark(parseMark(found, store), mark, store) === 'write') {
    await meta.updateOne({ _id: 'mark', shape: { $lte: mark.shape } }, { $set: mark });
  }
  await ensureIndexes(database);
}

async function writeBatch({ bulk }: Collections, batch: HistoryBatch): Promise<void> {
  const { added, raised } = writeRegistry(batch.registry);
  await writeAll(bulk('logs'), batch.executions.map(writeLog));
  await writeAll(bulk('results'), batch.executions.flatMap(writeResults));
  await writeAll(bulk('executions'), batch.executions.map(writeExecution));
  await writeAll(bulk('registry'), added);
  await writeAll(bulk('registry'), raised);
  const search = writeSearch(batch.search ?? []);
  await writeAll(bulk('search'), search.added);
  await writeAll(bulk('search'), search.raised);
}

/** @returns whether it is here. */
async function writeBooked(to: Collections['executions'], booked: Booked): Promise<boolean> {
  const { tenant, actorId, executionId: id, accounting } = booked;
  const written = await to.updateOne({ tenant, actorId, id }, { $set: { accounting, node: accounting.nodes } });
  return written.matchedCount > 0;
}

type Bulk = ReturnType<Collections['bulk']>;

async function writeAll(collection: Bulk, writes: AnyBulkWriteOperation[]): Promise<void> {
  if (writes.length === 0) return;
  try {
    await collection.bulkWrite(writes, { ordered: false });
  } catch (thrown) {
    if (!isOnlyDuplicates(thrown)) throw thrown;
  }
}

type Page = Parameters<History['executions']>[2];

async function readPage({ executions }: Collections, actor: ActorKey, page: Page): Promise<Execution[]> {
  let where: Filter<ExecutionDocument> = { ...actor };
  if (page.before !== undefined) {
    const last = await executions.findOne({ ...actor, id: page.before }, ofExecution);
    if (last === null) return [];
    const { receivedAt, id } = last;
    where = { ...actor, $or: [{ receivedAt: { $lt: receivedAt } }, { receivedAt, id: { $lt: id } }] };
  }
  const documents = await executions
    .find(where, ofExecution)
    .sort({ receivedAt: -1, id: -1 })
    .limit(page.limit)
    .toArray();
  return documents.map(executionOf);
}

const sumsOfGroup = {
  count: { $sum: 1 },
  cpuMs: { $sum: '$usage.cpuMs' },
  ioBytes: { $sum: '$usage.ioBytes' },
  runtimeMs: { $sum: '$usage.runtimeMs' },
};

async function readTotalsByActor({ executions }: Collections): Promise<(ExecutionTotals & ActorKey)[]> {
  const group = { $group: { _id: { tenant: '$tenant', actorId: '$actorId' }, ...sumsOfGroup } };
  const found = await executions.aggregate<ExecutionTotals & { _id: ActorKey }>([group]).toArray();
  return found.map(({ _id, ...sums }) => ({ ..._id, ...sums }));
}

async function readTotals({ executions }: Collections, actor: ActorKey): Promise<ExecutionTotals> {
  const group = { $group: { _id: null, ...sumsOfGroup } };
  const [sums] = await executions.aggregate<ExecutionTotals>([{ $match: actor }, group]).toArray();
  const { count, cpuMs, ioBytes, runtimeMs } = sums ?? { count: 0, cpuMs: 0, ioBytes: 0, runtimeMs: 0 };
  return { count, cpuMs, ioBytes, runtimeMs };
}

/** Log by log, so that of two sweeps at once each blob is named by one. */
async function expireLogs({ logs, search }: Collections, at: Date, limit: number): Promise<ExpiredLogs> {
  await search.deleteMany({ expiresAt: { $lte: at } });
  const empty = { $set: { expired: true, 'body.inline': null, 'body.bytes': 0 }, $unset: { expiresAt: '' } } as const;
  const blobs: string[] = [];
  for (let count = 0; count < limit; count += 1) {
    const log = await logs.findOneAndUpdate({ expiresAt: { $lte: at } }, empty, { sort: { expiresAt: 1 } });
    if (log === null) return { count, blobs };
    if (log.body.blob !== null) blobs.push(log.body.blob);
  }
  return { count: limit, blobs };
}
