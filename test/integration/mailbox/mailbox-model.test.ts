/**
 * Promises 1, 2, 4 and 7, under whatever order of posts, steps, deaths, stalls and wakings fast-check comes upon. A failure
 * prints the commands, the fewest it could find.
 */

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MailboxBench, openMailboxBench } from '../../support/mailbox-bench.ts';
import { createWorld, type Protection, type World } from '../../support/mailbox-model.ts';
import { programAvailable } from '../../support/program.ts';
import { startRedis, type TestRedis } from '../../support/redis-server.ts';
import { requireService } from '../../support/services.ts';

type Command = fc.AsyncCommand<object, World>;

function command(name: string, run: (world: World) => Promise<void>): Command {
  return { check: () => true, run: async (_model, world) => await run(world), toString: () => name };
}

const index = fc.nat({ max: 7 });
const workerIndex = fc.nat({ max: 2 });
const ofWorker = (name: 'step' | 'stall' | 'kill' | 'adopt' | 'giveBack'): fc.Arbitrary<Command> =>
  workerIndex.map((worker) => command(`${name} ${worker}`, (world) => world[name](worker)));

const commands = fc.commands(
  [
    index.map((actor) => command(`post ${actor}`, (world) => world.post(actor))),
    fc
      .tuple(index, fc.constantFrom('k1', 'k2'))
      .map(([actor, key]) => command(`post ${actor} ${key}`, (world) => world.post(actor, key))),
    ...Array.from({ length: 5 }, () => ofWorker('step')),
    ofWorker('stall'),
    ofWorker('kill'),
    ofWorker('adopt'),
    ofWorker('adopt'),
    ofWorker('giveBack'),
    index.map((message) => command(`cancel ${message}`, (world) => world.cancel(message))),
    index.map((actor) => command(`purge ${actor}`, (world) => world.purge(actor))),
    fc.constant(command('clean', (world) => world.clean())),
  ],
  { maxCommands: 60, size: 'max' },
);

describe.runIf(requireService('redis', await programAvailable('redis-server')))('any history of a mailbox', () => {
  let redis: TestRedis;
  let bench: MailboxBench;

  beforeAll(async () => {
    redis = await startRedis({ appendfsync: 'off' });
    bench = await openMailboxBench(redis.url);
  });

  afterAll(async () => {
    await bench[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });

  const promisesHold = (without?: Protection): fc.IAsyncPropertyWithHooks<[Iterable<Command>]> =>
    fc.asyncProperty(commands, async (list) => {
      const world = await createWorld(bench, without);
      await fc.asyncModelRun(() => ({ model: {}, real: world }), list);
      expect(await world.finish()).toEqual([]);
    });

  it('executes each message once, ends it once, keeps the order and leaves nothing over', {
    timeout: 240_000,
  }, async () => {
    await fc.assert(promisesHold(), { numRuns: 600 });
  });

  it.each<Protection>(['marker', 'fence', 'cleanup'])(
    'would be seen to break its promises without the %s',
    { timeout: 120_000 },
    async (without) => {
      // Seen after 3 to 630 histories; it ends with the first.
      const result = await fc.check(promisesHold(without), { numRuns: 5_000, endOnFailure: true });
      expect(result.failed).toBe(true);
    },
  );
});
