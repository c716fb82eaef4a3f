/** What the outbox takes away, on a real Redis, SQLite and a blob directory. */

import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeForSearch } from '../../../src/api/search-fields.ts';
import { createPermissionStore } from '../../../src/auth/permission-store.ts';
import { createExecutionStore } from '../../../src/executions/execution-store.ts';
import { resultName } from '../../../src/executions/live-log.ts';
import type { History } from '../../../src/history/history.ts';
import { createOutbox, type Outbox } from '../../../src/history/outbox.ts';
import { createSqliteHistory } from '../../../src/history/sqlite-history.ts';
import type { ActorRef } from '../../../src/mailbox/keys.ts';
import { type BlobStore, createBlobStore } from '../../../src/storage/blob-store.ts';
import { aMessage, aSettlement, type MailboxBench, openMailboxBench } from '../../support/mailbox-bench.ts';
import { programAvailable } from '../../support/program.ts';
import { startRedis, type TestRedis } from '../../support/redis-server.ts';
import { requireService } from '../../support/services.ts';
import { makeTestDirectory, type TestDirectory } from '../../support/test-directory.ts';
import { until } from '../../support/until.ts';

describe.runIf(requireService('redis', await programAvailable('redis-server')))('results that are files', () => {
  let server: TestRedis;
  let bench: MailboxBench;
  let directory: TestDirectory;
  let blobs: BlobStore;
  let history: History;
  let outbox: Outbox;

  beforeEach(async () => {
    server = await startRedis({ appendfsync: 'off' });
    bench = await openMailboxBench(server.url);
    directory = await makeTestDirectory('outbox');
    blobs = createBlobStore({ dir: join(directory.path, 'blobs') });
    const mark = { installationId: 'test', shape: 1, writtenBy: 'test' };
    history = await createSqliteHistory({ path: join(directory.path, 'history.sqlite'), mark });
    outbox = makeOutbox();
  });
  afterEach(async () => {
    await outbox.stop();
    await history.close();
    await bench[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await directory[Symbol.asyncDispose]();
  });

  /** Lists of results alone say how long they can be read. */
  function makeOutbox(kept: BlobStore = blobs): Outbox {
    const stores = { redis: bench.redis, prefix: 'test' };
    return createOutbox({
      mailbox: bench.mailbox,
      actors: bench.actors,
      executions: createExecutionStore({ ...stores, resultsKeepMs: 0 }),
      history,
      permissions: createPermissionStore(stores),
      describe: describeForSearch,
      blobs: kept,
      logExpiresAt: async () => undefined,
      news: bench.news,
      batch: 10,
      intervalMs: 10,
      log: pino({ level: 'silent' }),
    });
  }

  /** @returns the names of its results, the second of which is a file. */
  async function runWithResults(actor: ActorRef): Promise<{ readonly id: string; readonly file: string }> {
    const id = await bench.post(actor);
    const { lease } = await bench.claim(actor);
    const file = resultName(id, 1);
    const body = await blobs.put(Buffer.from('large'), file);
    await bench.mailbox.appendResults(lease, 0, [{ inline: Buffer.from('small') }, body]);
    await bench.mailbox.settle(lease, aSettlement());
    return { id, file };
  }

  const letTimePass = async (actor: ActorRef, id: string) => await bench.redis.del(bench.keysOf(actor).results(id));

  it('go when nobody can read them any more, and not before', async () => {
    const actor = await bench.newActor();
    const readable = await runWithResults(actor);
    const over = await runWithResults(actor);
    await outbox.drain();
    expect(await blobs.size(over.file)).toBe(5);
    await letTimePass(actor, over.id);
    outbox.start();
    await until(async () => (await blobs.size(over.file)) === undefined, { what: 'the removal of the file' });
    await until(async () => (await bench.redis.zcard('test:result-blobs')) === 1, { what: 'the end of its note' });
    expect(await blobs.size(readable.file)).toBe(5);
    // It is asked about again when its list will have gone.
    const [, due] = await bench.redis.zrange('test:result-blobs', '0', '-1', 'WITHSCORES');
    expect(Number(due)).toBeGreaterThan(Date.now() + 30_000);
  });

  it('go also where the history was away for longer than they could be read', async () => {
    const actor = await bench.newActor();
    const { id, file } = await runWithResults(actor);
    await letTimePass(actor, id);
    outbox.start();
    await until(async () => (await blobs.size(file)) === undefined, { what: 'the removal of the file' });
    expect(await history.execution(actor.tenant, actor.actorId, id)).toMatchObject({ id });
  });

  it('go also when a process dies after it has removed them, and their note with them', async () => {
    const actor = await bench.newActor();
    const { id, file } = await runWithResults(actor);
    await outbox.drain();
    await letTimePass(actor, id);
    await blobs.remove(file);
    outbox.start();
    await until(async () => (await bench.redis.exists('test:result-blobs')) === 0, { what: 'the end of the note' });
    expect(await blobs.size(file)).toBeUndefined();
  });

  it('are not noted where there are none', async () => {
    const actor = await bench.newActor();
    await bench.post(actor);
    const { lease } = await bench.claim(actor);
    await bench.mailbox.appendResults(lease, 0, [{ inline: Buffer.from('small') }]);
    await bench.mailbox.settle(lease, aSettlement());
    await outbox.drain();
    expect(await bench.redis.exists('test:result-blobs')).toBe(0);
  });

  it('and large messages go before their names are forgotten', async () => {
    const actor = await bench.newActor();
    const body = await blobs.put(Buffer.from('a large message'));
    const executionId = bench.ids.next();
    const message = { ...aMessage(), body };
    await bench.mailbox.post(actor, { executionId, message });
    const { lease } = await bench.claim(actor);
    await bench.mailbox.settle(lease, aSettlement());
    // As when the process dies just then.
    const remove = async (): Promise<never> => await Promise.reject(new Error('the directory is away'));
    const dying = makeOutbox({ ...blobs, remove });
    await expect(dying.drain()).rejects.toThrow('the directory is away');
    await dying.stop();
    expect(await blobs.size(body.blob)).toBe(15);
    await outbox.drain();
    expect(await blobs.size(body.blob)).toBeUndefined();
    expect(await bench.redis.exists(bench.keysOf(actor).execution(executionId))).toBe(0);
  });
});
