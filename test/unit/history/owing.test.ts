import { describe, expect, it } from 'vitest';
import { createOwing } from '../../../src/history/owing.ts';
import type { NewsItem } from '../../../src/mailbox/news.ts';

function makeOwing(known: string[]) {
  const loads = new Map<string, { waiting: number; outbox: number }>();
  let looks = 0;
  const owing = createOwing({
    actors: {
      refs: async (tenant = '') => {
        looks += 1;
        return known.map((actorId) => ({ tenant, actorId }));
      },
    },
    mailbox: {
      load: async ({ actorId }) => ({
        waiting: 0,
        outbox: 0,
        held: 0,
        cleanups: 0,
        owesEvents: false,
        ...loads.get(actorId),
      }),
    },
    news: { caughtUp: async () => undefined },
  });
  const say = (kind: NewsItem['kind'], actorId: string, tenant = 'T') =>
    owing.hear({ kind, tenant, actorId, executionId: '-' });
  const ask = async () => (await owing.of('T')).map(({ actorId }) => actorId);
  const settle = async () => owing.settle('T', await owing.of('T'));
  return { owing, loads, say, ask, settle, looks: () => looks };
}

describe('createOwing', () => {
  it('looks at all of a tenant once, and then at those that news was of', async () => {
    const { say, ask, settle, looks } = makeOwing(['a', 'b']);
    expect(await ask()).toEqual(['a', 'b']);
    await settle();
    expect(await ask()).toEqual([]);
    say('ended', 'b');
    say('ended', 'c', 'ELSE');
    expect(await ask()).toEqual(['b']);
    expect(looks()).toBe(1);
  });

  it('keeps an actor with messages that wait, of which posts say nothing, and one that owes again', async () => {
    const { loads, ask, settle } = makeOwing(['a', 'b', 'c']);
    loads.set('a', { waiting: 1, outbox: 0 }).set('b', { waiting: 0, outbox: 1 });
    await settle();
    expect(await ask()).toEqual(['a', 'b']);
  });

  it('looks at all again after news was missed', async () => {
    const { say, ask, settle, looks } = makeOwing(['a']);
    await settle();
    say('missed', '', '');
    expect(await ask()).toEqual(['a']);
    expect(looks()).toBe(2);
  });
});
