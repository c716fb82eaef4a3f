/** Promise 10: when a post is answered, the message is on the disk. Seen from outside, on the Redis that `abaco up` starts. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EmbeddedRedis, startEmbeddedRedis } from '../../../src/storage/embedded-redis.ts';
import { aMessage, type MailboxBench, openMailboxBench } from '../../support/mailbox-bench.ts';
import { programAvailable } from '../../support/program.ts';
import { requireService } from '../../support/services.ts';
import { silentLog } from '../../support/silent-log.ts';
import { findAnswer, traceSystemCalls } from '../../support/system-calls.ts';
import { makeTestDirectory, type TestDirectory } from '../../support/test-directory.ts';

const redisThere = requireService('redis', await programAvailable('redis-server'));
const straceThere = requireService('strace', await programAvailable('strace'));

describe.runIf(redisThere && straceThere)('a message that was accepted', () => {
  let directory: TestDirectory;
  let embedded: EmbeddedRedis;
  let bench: MailboxBench;

  beforeAll(async () => {
    directory = await makeTestDirectory('durability');
    embedded = await startEmbeddedRedis({ dataDir: directory.path, log: silentLog });
    bench = await openMailboxBench(embedded.url);
  });

  afterAll(async () => {
    await bench[Symbol.asyncDispose]();
    await embedded.close();
    await directory[Symbol.asyncDispose]();
  });

  async function answerToPost(): Promise<ReturnType<typeof findAnswer>> {
    const [, pid] = /process_id:(\d+)/.exec(await bench.redis.info('server')) ?? [];
    const actor = await bench.newActor();
    // The script itself is known from here on: what is traced is what every message costs.
    await bench.post(actor);
    const executionId = bench.ids.next();
    const calls = await traceSystemCalls(Number(pid), directory.path, async () => {
      await bench.mailbox.post(actor, { executionId, message: aMessage() });
    });
    return findAnswer(calls, executionId);
  }

  it('was written to the append-only file, and the file synced, before it was answered', async () => {
    expect(await answerToPost()).toEqual({ written: true, synced: true });
  });

  it('would be seen to be unsafe where the file is synced once a second', async () => {
    await bench.redis.config('SET', 'appendfsync', 'everysec');
    expect(await answerToPost()).toEqual({ written: true, synced: false });
  });
});
