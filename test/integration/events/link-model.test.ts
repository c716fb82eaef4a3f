/** Each event becomes one message of the linked actor, in order, wherever deliveries die or freeze. */

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEventWorld, type EventProtection, type EventWorld } from '../../support/event-model.ts';
import { type MailboxBench, openMailboxBench } from '../../support/mailbox-bench.ts';
import { programAvailable } from '../../support/program.ts';
import { startRedis, type TestRedis } from '../../support/redis-server.ts';
import { requireService } from '../../support/services.ts';

type Command = fc.AsyncCommand<object, EventWorld>;

function command(name: string, run: (world: EventWorld) => Promise<void>): Command {
  return { check: () => true, run: async (_model, world) => await run(world), toString: () => name };
}

/** Four to an event. */
const checks = fc.integer({ min: 1, max: 9 });
const commands = fc.commands(
  [
    fc.constant(command('end', (world) => world.end())),
    fc.constant(command('end', (world) => world.end())),
    checks.map((count) => command(`die ${count}`, (world) => world.deliverUntilDeath(count))),
    checks.map((count) => command(`freeze ${count}`, (world) => world.deliverUntilFrozen(count))),
    fc.constant(command('wake', (world) => world.wake())),
    fc.constant(command('run', (world) => world.runTarget())),
  ],
  { maxCommands: 25, size: 'max' },
);

describe.runIf(requireService('redis', await programAvailable('redis-server')))('any history of a link', () => {
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

  const promisesHold = (without?: EventProtection): fc.IAsyncPropertyWithHooks<[Iterable<Command>]> =>
    fc.asyncProperty(commands, async (list) => {
      const world = await createEventWorld(bench, without);
      await fc.asyncModelRun(() => ({ model: {}, real: world }), list);
      expect(await world.finish()).toEqual([]);
    });

  it('tells each event once and in order, and leaves nothing over', { timeout: 240_000 }, async () => {
    await fc.assert(promisesHold(), { numRuns: 150 });
  });

  it('would be seen to tell one twice without its memory of causes', { timeout: 120_000 }, async () => {
    const result = await fc.check(promisesHold('causes'), { numRuns: 2_000, endOnFailure: true });
    expect(result.failed).toBe(true);
  });
});
