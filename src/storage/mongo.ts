/** The connection to MongoDB, the indexes we need of it, and its failures in our words. */

import { type Db, type IndexDescription, MongoBulkWriteError, MongoClient, MongoError } from 'mongodb';
import { asError, InvalidError, UnavailableError } from '../errors.ts';

/** How long an operation looks for a server before it says that there is none: an outage is an answer, not a hang. */
const serverSelectionTimeoutMs = 2_000;

/** A server that took the question and never answers is an outage too. Longer than any page or batch takes. */
const socketTimeoutMs = 30_000;

export interface MongoOptions {
  readonly url: string;
  /** Where nothing is given, the one in the path of the URL, else `abaco`. */
  readonly database?: string;
}

/** Makes a client that connects at its first use, and heals itself from then on. */
export function connectMongo({ url }: MongoOptions): MongoClient {
  try {
    return new MongoClient(url, {
      appName: 'abaco',
      serverSelectionTimeoutMS: serverSelectionTimeoutMs,
      connectTimeoutMS: serverSelectionTimeoutMs,
      socketTimeoutMS: socketTimeoutMs,
    });
  } catch (thrown) {
    throw new InvalidError('config.invalid', `MongoDB URL cannot be read: ${asError(thrown).message}`, {
      cause: thrown,
    });
  }
}

/** What is written to this database is in the journal of a majority before the write resolves. */
export function databaseOf(client: MongoClient, { url, database }: MongoOptions): Db {
  const inPath = /^mongodb(?:\+srv)?:\/\/[^/]+\/([^?]+)/.exec(url)?.[1];
  return client.db(database ?? inPath ?? 'abaco', {
    writeConcern: { w: 'majority', journal: true },
    ignoreUndefined: true,
    promoteBuffers: true,
  });
}

const ofExecution = { tenant: 1, actorId: 1, executionId: 1 } as const;

/** Per collection. The unique ones are what makes a repeated batch harmless. */
const indexes: Readonly<Record<string, IndexDescription[]>> = {
  executions: [
    { key: { tenant: 1, actorId: 1, id: 1 }, unique: true },
    { key: { tenant: 1, actorId: 1, receivedAt: 1, id: 1 } },
  ],
  logs: [
    { key: ofExecution, unique: true },
    { key: { expiresAt: 1 }, sparse: true },
  ],
  results: [{ key: { ...ofExecution, place: 1 }, unique: true }],
  registry: [{ key: { tenant: 1, kind: 1, id: 1 }, unique: true }],
  search: [
    { key: { tenant: 1, kind: 1, id: 1 }, unique: true },
    { key: { tenant: 1, kind: 1, time: 1, id: 1 } },
    { key: { tenant: 1, kind: 1, actorId: 1, time: 1, id: 1 } },
    { key: { tenant: 1, kind: 1, actorId: 1, status: 1, time: 1, id: 1 } },
    { key: { tenant: 1, kind: 1, status: 1, time: 1, id: 1 } },
    { key: { tenant: 1, kind: 1, executor: 1, time: 1, id: 1 } },
    { key: { tenant: 1, kind: 1, words: 1 } },
    { key: { tenant: 1, kind: 1, readers: 1 } },
    { key: { expiresAt: 1 }, sparse: true },
  ],
};

/** Makes the indexes that are missing. */
export async function ensureIndexes(database: Db): Promise<void> {
  for (const [name, descriptions] of Object.entries(indexes)) {
    await database.collection(name).createIndexes(descriptions);
  }
}

/** Whether a bulk of upserts failed only because another process inserted the same keys meanwhile. */
export function isOnlyDuplicates(thrown: unknown): boolean {
  if (!(thrown instanceof MongoBulkWriteError) || thrown.result.getWriteConcernError() !== undefined) return false;
  const errors = Array.isArray(thrown.writeErrors) ? thrown.writeErrors : [thrown.writeErrors];
  return errors.length > 0 && errors.every(({ code }) => code === 11_000);
}

/**
 * Every failure of the driver or the server as `history.unavailable`; what is none of theirs stays itself. The message
 * names hosts and never the URL, which may hold a password.
 */
export function asMongoError(thrown: unknown): Error {
  if (!(thrown instanceof MongoError)) return asError(thrown);
  return new UnavailableError('history.unavailable', `History in MongoDB does not answer: ${thrown.message}`, {
    cause: thrown,
  });
}
