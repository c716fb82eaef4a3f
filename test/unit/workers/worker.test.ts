import pino from 'pino';
import { expect, it } from 'vitest';
import type { Actor } from '../../../src/actors/actor.ts';
import type { Claimed } from '../../../src/executions/execution.ts';
import type { LauncherEntry } from '../../../src/launcher/launcher-table.ts';
import { startWorker } from '../../../src/workers/worker.ts';

it('A worker goes on with what it has taken where nobody could be told of it, and takes the next', async () => {
  const messages = ['e1', 'e2'];
  const runs: string[] = [];
  const idle = Promise.withResolvers<void>();
  const worker = startWorker({
    id: 'w1',
    actor: { tenant: 'T', actorId: 'a1' },
    mailbox: {
      async claim() {
        const executionId = messages.shift();
        if (executionId === undefined) return { kind: 'empty' };
        return { kind: 'leased', claimed: { lease: { executionId } } as Claimed, actor: {} as Actor, waiting: 1 };
      },
      giveBack: async () => 'given-back',
    },
    gate: { waitOf: () => undefined },
    launcherOf: () => ({}) as LauncherEntry,
    async run(_, { lease }) {
      runs.push(lease.executionId);
      return 'settled';
    },
    leaseMs: 1_000,
    limits: () => ({ workersPerActor: 1 }),
    log: pino({ level: 'silent' }),
    onTaken() {
      throw new Error('No id may be drawn');
    },
    onNothing: () => idle.resolve(),
    onFree: () => undefined,
    launcherName: () => 'local',
  });
  await idle.promise;
  expect([runs, worker.busy]).toEqual([['e1', 'e2'], false]);
  await worker.retire();
});
