import { type AnyBulkWriteOperation, type Db, MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectMongo, databaseOf, ensureIndexes, isOnlyDuplicates } from '../../../src/storage/mongo.ts';
import { mongoAvailable, startMongo, type TestMongo } from '../../support/mongo-server.ts';
import { requireService } from '../../support/services.ts';

describe('the name of the database', () => {
  it.each([
    ['is in the path of the URL', { url: 'mongodb://a.org:1,b.org:2/ours?w=1' }, 'ours'],
    ['may be given beside it', { url: 'mongodb://a.org/ours', database: 'other' }, 'other'],
    ['is our own where nobody says one', { url: 'mongodb://user:a@a.org/?w=1' }, 'abaco'],
  ])('%s', async (_, options, expected) => {
    await using client = connectMongo(options);
    const database = databaseOf(client, options);
    expect(database.databaseName).toBe(expected);
    expect(database.writeConcern).toMatchObject({ w: 'majority', journal: true });
  });
});

describe.runIf(requireService('mongo', await mongoAvailable()))('the indexes', () => {
  let mongo: TestMongo;
  let client: MongoClient;
  let database: Db;

  beforeAll(async () => {
    mongo = await startMongo();
    client = await MongoClient.connect(mongo.url);
    database = client.db(mongo.database);
    await ensureIndexes(database);
  });
  afterAll(async () => {
    await client.close();
    await mongo[Symbol.asyncDispose]();
  });

  async function failureOf(name: string, writes: AnyBulkWriteOperation[]): Promise<unknown> {
    return await database
      .collection(name)
      .bulkWrite(writes, { ordered: false })
      .then(
        () => undefined,
        (error: unknown) => error,
      );
  }

  it.each([
    ['executions', { tenant: 't', actorId: 'a', id: 'e' }],
    ['logs', { tenant: 't', actorId: 'a', executionId: 'e' }],
    ['results', { tenant: 't', actorId: 'a', executionId: 'e', place: 0 }],
    ['registry', { tenant: 't', kind: 'actor', id: 'a' }],
  ])('let %s hold a key once', async (name, key) => {
    const twice = [1, 2].map((n) => ({ insertOne: { document: { ...key, n } } }));
    expect(isOnlyDuplicates(await failureOf(name, twice))).toBe(true);
    expect(await database.collection(name).countDocuments(key)).toBe(1);
  });

  it('may be asked for again', async () => {
    await expect(ensureIndexes(database)).resolves.toBeUndefined();
  });

  it('are not taken for the cause of another failure', async () => {
    const key = { tenant: 't', actorId: 'b', id: 'e' };
    const broken = { updateOne: { filter: key, update: { $inc: { tenant: 1 } }, upsert: true } };
    const twice = [1, 2].map((n) => ({ insertOne: { document: { ...key, n } } }));
    expect(isOnlyDuplicates(await failureOf('executions', [...twice, broken]))).toBe(false);
    expect(isOnlyDuplicates(new Error('other'))).toBe(false);
  });
});
