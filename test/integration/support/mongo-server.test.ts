import { MongoClient } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { mongoAvailable, startMongo } from '../../support/mongo-server.ts';
import { requireService } from '../../support/services.ts';

describe.runIf(requireService('mongo', await mongoAvailable()))('the MongoDB of a test', () => {
  it('takes the driver and refuses a second document under a unique key', async () => {
    await using mongo = await startMongo();
    await using client = await MongoClient.connect(mongo.url);
    const things = client.db(mongo.database).collection('things');
    await things.createIndex({ name: 1 }, { unique: true });
    await things.insertOne({ name: 'a' });
    await expect(things.insertOne({ name: 'a' })).rejects.toMatchObject({ code: 11000 });
  });

  it('has what was written before it was stopped and started', async ({ skip }) => {
    await using mongo = await startMongo();
    skip(!mongo.ownServer, 'the MongoDB of the environment is not ours to stop');
    await using client = await MongoClient.connect(mongo.url);
    const things = client.db(mongo.database).collection('things');
    await things.insertOne({ name: 'kept' });
    await mongo.stop();
    await mongo.start();
    expect(await things.countDocuments({ name: 'kept' })).toBe(1);
  });
});
