import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ActorDemand, planWorkers } from '../../../src/workers/plan-workers.ts';

const idle = (key: string): ActorDemand => ({ key, waiting: 0, busy: 0, concurrency: 2, wanted: 0 });

describe('planWorkers', () => {
  it('keeps one ready worker for an actor without messages', () => {
    expect(planWorkers([idle('a')], 10).counts.get('a')).toBe(1);
  });

  it('gives an actor as many workers as messages wait, up to its concurrency', () => {
    expect(planWorkers([{ ...idle('a'), waiting: 5 }], 10).counts.get('a')).toBe(2);
    expect(planWorkers([{ ...idle('a'), waiting: 5, concurrency: 4 }], 10).counts.get('a')).toBe(4);
  });

  it('never gives a stateful actor a second worker', () => {
    expect(planWorkers([{ ...idle('a'), waiting: 5, concurrency: 1, wanted: 3 }], 10).counts.get('a')).toBe(1);
  });

  it('shares places evenly among actors whose messages wait', () => {
    const { counts: plan } = planWorkers(
      [
        { ...idle('a'), waiting: 9, concurrency: 9 },
        { ...idle('b'), waiting: 9, concurrency: 9 },
      ],
      4,
    );
    expect([plan.get('a'), plan.get('b')]).toEqual([2, 2]);
  });

  it('gives a place to one that has none before it gives another a second, and of several to the first', () => {
    const demands = [
      { ...idle('busy'), busy: 1, waiting: 9, concurrency: 4 },
      { ...idle('first'), waiting: 9 },
      { ...idle('second'), waiting: 9 },
    ];
    const countsWith = (perHost: number) => [...planWorkers(demands, perHost).counts.values()];
    expect(countsWith(2)).toEqual([1, 1, 0]);
    expect(countsWith(3)).toEqual([1, 1, 1]);
    expect(countsWith(6)).toEqual([2, 2, 2]);
    expect(countsWith(8)).toEqual([4, 2, 2]);
  });

  it('says whether messages wait that only lack a place', () => {
    const waiting = { ...idle('a'), waiting: 3 };
    expect(planWorkers([waiting, idle('b')], 1).crowded).toBe(true);
    expect(planWorkers([waiting, idle('b')], 2).crowded).toBe(false);
    expect(planWorkers([idle('a'), idle('b')], 1).crowded).toBe(false);
  });

  it('keeps ready workers for those that took a message last', () => {
    expect([...planWorkers([idle('a'), idle('b'), idle('c')], 2).counts.values()]).toEqual([0, 1, 1]);
  });

  it('serves waiting messages before it keeps idle workers ready', () => {
    const { counts: plan } = planWorkers([idle('idle'), { ...idle('waiting'), waiting: 1 }], 1);
    expect([plan.get('idle'), plan.get('waiting')]).toEqual([0, 1]);
  });

  it('holds the limit of the host, and interrupts nobody', () => {
    const demand = fc.record({
      waiting: fc.nat(20),
      busy: fc.nat(5),
      concurrency: fc.integer({ min: 1, max: 8 }),
      wanted: fc.nat(8),
    });
    fc.assert(
      fc.property(fc.array(demand, { maxLength: 12 }), fc.integer({ min: 1, max: 30 }), (demands, perHost) => {
        const named = demands.map((each, index) => ({ ...each, key: `actor-${index}` }));
        const { counts: plan } = planWorkers(named, perHost);
        const busy = named.reduce((sum, each) => sum + each.busy, 0);
        const planned = [...plan.values()].reduce((sum, count) => sum + count, 0);
        expect(planned).toBeLessThanOrEqual(Math.max(perHost, busy));
        for (const each of named) {
          expect(plan.get(each.key)).toBeGreaterThanOrEqual(each.busy);
          expect(plan.get(each.key)).toBeLessThanOrEqual(Math.max(each.busy, each.concurrency));
        }
      }),
    );
  });
});
