import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MailboxBench, openMailboxBench } from '../../support/mailbox-bench.ts';
import { describeMailbox } from '../../support/mailbox-contract.ts';
import { programAvailable } from '../../support/program.ts';
import { startRedis, type TestRedis } from '../../support/redis-server.ts';
import { requireService } from '../../support/services.ts';

describe.runIf(requireService('redis', await programAvailable('redis-server')))('the mailbox in a cluster', () => {
  describeMailbox(() => startRedis({ cluster: true }));

  describe('of which a script', () => {
    let redis: TestRedis;
    let bench: MailboxBench;

    beforeAll(async () => {
      redis = await startRedis({ cluster: true });
      bench = await openMailboxBench(redis.url);
    });

    afterAll(async () => {
      await bench[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
    });

    it('may not touch two actors', async () => {
      const [one, other] = [await bench.newActor(), await bench.newActor()];
      const keys = [bench.keysOf(one).actor, bench.keysOf(other).actor];
      await expect(bench.redis.eval('return redis.call("EXISTS", KEYS[1], KEYS[2])', 2, ...keys)).rejects.toThrow(
        /CROSSSLOT|same slot/,
      );
    });
  });
});
