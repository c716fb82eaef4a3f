import { describe, expect, it } from 'vitest';
import { createMongoHistory } from '../../../src/history/mongo-history.ts';
import { freePort } from '../../support/free-port.ts';
import { mongoAvailable, startMongo } from '../../support/mongo-server.ts';
import { requireService } from '../../support/services.ts';
import { until } from '../../support/until.ts';

const mark = { installationId: 'here', shape: 1, writtenBy: 'abaco 0.1.0' };
const silent = { warn: () => undefined };

it('starts without a server, says so once, and answers that the history is unavailable', async () => {
  const warnings: string[] = [];
  const log = { warn: (_: object, text: string) => void warnings.push(text) };
  const url = `mongodb://user:secret@127.0.0.1:${await freePort()}/abaco`;
  const history = await createMongoHistory({ url, mark, log });
  expect(warnings).toEqual(['history did not answer at start']);
  const refused = await history.totals('tacc', 'a').catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: 'history.unavailable', retryable: true });
  expect(String(refused)).not.toContain('secret');
  await history.close();
});

it('refuses a URL that is none', async () => {
  await expect(createMongoHistory({ url: 'redis://here', mark })).rejects.toMatchObject({ code: 'config.invalid' });
});

describe.runIf(requireService('mongo', await mongoAvailable()))('a server that comes later', () => {
  it('is used once it is there, unless it belongs to another installation', async ({ skip }) => {
    await using mongo = await startMongo();
    skip(!mongo.ownServer, 'this server is not ours to stop');
    const { url, database } = mongo;
    const theirs = await createMongoHistory({
      url,
      database: 'theirs',
      mark: { ...mark, installationId: 'elsewhere' },
    });
    await theirs.close();
    await mongo.stop();

    const [history, foreign] = await Promise.all(
      [database, 'theirs'].map((name) => createMongoHistory({ url, database: name, mark, log: silent })),
    );
    await mongo.start();
    await until(() => history?.ping().then(() => true), { what: 'the history' });
    await expect(foreign?.ping()).rejects.toMatchObject({ code: 'storage.foreign' });
    await expect(foreign?.write({ executions: [], registry: [] })).rejects.toMatchObject({ code: 'storage.foreign' });
    await Promise.all([history?.close(), foreign?.close()]);
  });
});
