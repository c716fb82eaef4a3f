import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, describe } from 'vitest';
import { createMongoHistory } from '../../../src/history/mongo-history.ts';
import { optional } from '../../../src/lib/optional.ts';
import { describeHistory, type HistoryStore } from '../../support/history-contract.ts';
import { mongoAvailable, startMongo, type TestMongo } from '../../support/mongo-server.ts';
import { requireService } from '../../support/services.ts';

async function drop(url: string, database: string) {
  await using client = await MongoClient.connect(url);
  await client.db(database).dropDatabase();
}

describe.runIf(requireService('mongo', await mongoAvailable()))('with a server', () => {
  let mongo: TestMongo;
  let stores = 0;

  beforeAll(async () => {
    mongo = await startMongo();
  });
  afterAll(() => mongo[Symbol.asyncDispose]());

  /** Each a database of its own on the one server. */
  async function makeStore(): Promise<HistoryStore> {
    stores += 1;
    const { url } = mongo;
    const database = `${mongo.database}-${stores}`;
    return {
      open: (mark, now) => createMongoHistory({ url, database, mark, ...optional('now', now) }),
      ...(mongo.ownServer && { outage: stopServer }),
      [Symbol.asyncDispose]: () => drop(url, database),
    };
  }

  async function stopServer() {
    await mongo.stop();
    return { end: () => mongo.start() };
  }

  describeHistory('MongoDB', makeStore);
});
