import { setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBuildTurns } from '../../../../launchers/apptainer/build-turns.ts';

const signal = new AbortController().signal;
const nothing = (): void => undefined;

describe('the turns of builds', () => {
  it('are no more at once than there are, and one of a tenant', async () => {
    const asks = fc.array(fc.tuple(fc.nat(5), fc.boolean()), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(asks, fc.integer({ min: 1, max: 4 }), async (asked, most) => {
        const turns = createBuildTurns(most);
        const building: number[] = [];
        let ended = 0;
        const build = async (tenant: number, fails: boolean): Promise<void> => {
          expect(building).not.toContain(tenant);
          building.push(tenant);
          expect(building.length).toBeLessThanOrEqual(most);
          await setTimeout(0);
          building.splice(building.indexOf(tenant), 1);
          ended += 1;
          if (fails) throw new Error('failed');
        };
        await Promise.allSettled(
          asked.map(async ([tenant, fails]) => {
            await turns.take(String(tenant), signal, async () => await build(tenant, fails), nothing);
          }),
        );
        expect(ended).toBe(asked.length);
      }),
      { numRuns: 50 },
    );
  });

  it('come to a tenant after one build of each other, however many those ask for', async () => {
    const turns = createBuildTurns(1);
    const order: string[] = [];
    const ask = async (tenant: string) =>
      await turns.take(
        tenant,
        signal,
        async () => {
          order.push(tenant);
          await setTimeout(0);
        },
        nothing,
      );
    const greedy = Array.from({ length: 500 }, async () => await ask('GREEDY'));
    await setTimeout(0);
    await ask('MODEST');
    expect(order.length).toBeLessThan(5);
    await Promise.all(greedy);
    expect(order).toHaveLength(501);
  });

  it('are told where they are waited for', async () => {
    const turns = createBuildTurns(2);
    const waits: string[] = [];
    const end = Promise.withResolvers<void>();
    const ask = async (tenant: string | undefined, name: string) =>
      await turns.take(
        tenant,
        signal,
        async () => await end.promise,
        () => void waits.push(name),
      );
    const all = [ask('A', 'A1'), ask('A', 'A2'), ask(undefined, 'none'), ask('C', 'C1')];
    expect(waits).toEqual(['A2', 'C1']);
    end.resolve();
    await Promise.all(all);
    await ask('A', 'A3');
    expect(waits).toEqual(['A2', 'C1']);
  });

  it('are given up at once, and not begun, where the wait is stopped', async () => {
    const turns = createBuildTurns(1);
    const end = Promise.withResolvers<string>();
    const first = turns.take('A', signal, async () => await end.promise, nothing);
    const stop = new AbortController();
    let begun = 0;
    const waiting = ['A', 'B'].map(
      async (tenant) => await turns.take(tenant, stop.signal, async () => void (begun += 1), nothing),
    );
    stop.abort(new Error('stopped'));
    for (const one of waiting) await expect(one).rejects.toThrow('stopped');
    end.resolve('built');
    expect(await first).toBe('built');
    expect(await turns.take('B', signal, async () => 'next', nothing)).toBe('next');
    expect(begun).toBe(0);
  });

  it('stay with a build that is stopped until it has ended', async () => {
    const turns = createBuildTurns(1);
    const stop = new AbortController();
    const end = Promise.withResolvers<string>();
    const first = turns.take('A', stop.signal, async () => await end.promise, nothing);
    await setTimeout(0);
    stop.abort();
    let hasNext = false;
    const next = turns.take('B', signal, async () => void (hasNext = true), nothing);
    await setTimeout(10);
    expect(hasNext).toBe(false);
    end.resolve('ended');
    expect(await first).toBe('ended');
    await next;
  });
});
