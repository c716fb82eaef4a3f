/** What a backlog costs: memory for each waiting message at 100,000, and the time of a claim there against one at 100. */

import { aMessage, manyWorkers, openMailboxBench } from '../test/support/mailbox-bench.ts';
import { startRedis } from '../test/support/redis-server.ts';
import { median, perSecond, report } from './rounds.ts';

const small = 100;
const large = 100_000;
const rounds = 40;
const claimsPerRound = 25;
const message = aMessage('a message of a usual length, some words long');

await using server = await startRedis({ appendfsync: 'everysec' });
await using bench = await openMailboxBench(server.url);
const { mailbox, redis, ids } = bench;

const few = await bench.newActor();
const many = await bench.newActor();
await fill(few, small);
const before = await usedMemory();
await fill(many, large);
const bytes = (await usedMemory()) - before;
console.log(`memory for each of ${large} waiting messages: ${(bytes / large).toFixed(0)} bytes`);

const times = { few: [] as number[], many: [] as number[] };
for (let round = 0; round < rounds; round += 1) {
  const order = round % 2 === 0 ? (['few', 'many'] as const) : (['many', 'few'] as const);
  for (const which of order) times[which].push(...(await claimAndGiveBack(which === 'few' ? few : many)));
}
const [atFew, atMany] = [median(times.few), median(times.many)];
console.log(
  `median claim at ${small}: ${(atFew * 1_000).toFixed(0)} µs, at ${large}: ${(atMany * 1_000).toFixed(0)} µs`,
);
report('backlog-bytes-per-message', bytes / large);
report('backlog', atMany / atFew);

async function fill(actor: typeof few, count: number): Promise<void> {
  await perSecond(count, 100, async () => {
    await mailbox.post(actor, { executionId: ids.next(), message });
  });
}

async function claimAndGiveBack(actor: typeof few): Promise<number[]> {
  const taken: number[] = [];
  for (let index = 0; index < claimsPerRound; index += 1) {
    const started = performance.now();
    const outcome = await mailbox.claim(actor, { workerId: 'bench', leaseMs: 30_000, workersPerActor: manyWorkers });
    taken.push(performance.now() - started);
    if (outcome.kind === 'leased') await mailbox.giveBack(outcome.claimed.lease);
  }
  return taken;
}

async function usedMemory(): Promise<number> {
  const info = await redis.info('memory');
  return Number(/used_memory:(\d+)/.exec(info)?.[1] ?? 0);
}
