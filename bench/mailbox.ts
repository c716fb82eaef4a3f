/** Post, claim and settle against BullMQ's add and process: the same Redis, the same number under way, nothing to run. */

import { Queue, Worker } from 'bullmq';
import { aMessage, aSettlement, manyWorkers, openMailboxBench } from '../test/support/mailbox-bench.ts';
import { startRedis } from '../test/support/redis-server.ts';
import { compare, perSecond, report } from './rounds.ts';

const messages = 6_000;
const rounds = 5;
const underWay = 50;
const message = aMessage('a message of a usual length, some words long');
const settlement = aSettlement({ log: { body: { inline: new Uint8Array() }, truncated: false } });

for (const appendfsync of ['everysec', 'always'] as const) {
  await using server = await startRedis({ appendfsync });
  await using bench = await openMailboxBench(server.url);
  const ratio = await compare(`mailbox (fsync ${appendfsync})`, rounds, {
    ours: () => ours(bench),
    plain: () => plain(server.port),
  });
  report(`mailbox-${appendfsync}`, ratio);
}

/** Posting and serving at once, as both do in life. */
async function ours(bench: Awaited<ReturnType<typeof openMailboxBench>>): Promise<number> {
  const { mailbox, ids } = bench;
  const actor = await bench.newActor();
  let settled = 0;
  // Workers without a message wait for the news of the next one, as those of a supervisor do.
  const ready: (() => void)[] = [];
  let told = 0;
  const stopListening = bench.news.listen((item) => {
    if (item.kind !== 'posted') return;
    const wake = ready.shift();
    if (wake) wake();
    else told += 1;
  });
  const started = performance.now();
  const serve = async (workerId: string): Promise<void> => {
    while (settled < messages) {
      const outcome = await mailbox.claim(actor, { workerId, leaseMs: 30_000, workersPerActor: manyWorkers });
      if (outcome.kind !== 'leased') {
        if (told > 0) told -= 1;
        else if (settled < messages) await new Promise<void>((resolve) => ready.push(resolve));
        continue;
      }
      if (outcome.waiting > 0) ready.shift()?.();
      await mailbox.settle(outcome.claimed.lease, settlement);
      settled += 1;
    }
    for (const wake of ready.splice(0)) wake();
  };
  await Promise.all([
    perSecond(messages, underWay, async () => {
      await mailbox.post(actor, { executionId: ids.next(), message });
    }),
    ...Array.from({ length: underWay }, (_, index) => serve(`w${index}`)),
  ]);
  const rate = (messages / (performance.now() - started)) * 1_000;
  stopListening();
  await bench.redis.flushall();
  return rate;
}

async function plain(port: number): Promise<number> {
  const connection = { host: '127.0.0.1', port };
  const name = `plain-${performance.now().toFixed(0)}`;
  const queue = new Queue(name, { connection });
  await queue.waitUntilReady();
  const done = Promise.withResolvers<void>();
  let settled = 0;
  const worker = new Worker(
    name,
    async () => {
      settled += 1;
      if (settled === messages) done.resolve();
    },
    { connection, concurrency: underWay },
  );
  await worker.waitUntilReady();
  const started = performance.now();
  await perSecond(messages, underWay, async () => {
    await queue.add('message', { body: 'a message of a usual length, some words long' });
  });
  await done.promise;
  const rate = (messages / (performance.now() - started)) * 1_000;
  await worker.close();
  await queue.obliterate({ force: true });
  await queue.close();
  return rate;
}
