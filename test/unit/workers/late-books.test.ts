import pino from 'pino';
import { describe, expect, it } from 'vitest';
import type { Booked } from '../../../src/history/history.ts';
import type { Accounting } from '../../../src/launcher/launcher.ts';
import { createLateBooks } from '../../../src/workers/late-books.ts';
import { until } from '../../support/until.ts';

const ref = { tenant: 'T', actorId: 'a1', executionId: 'e1' };
const accounting = { jobId: '7', elapsedMs: 1, cpuMs: 1, nodes: 'c1' };

/** A history that gives these answers for each it is told of, one after the other, and then is content. */
function play(...answers: readonly (false | Error)[]) {
  const left = [...answers];
  const asked: (readonly Booked[])[] = [];
  const leaving = new AbortController();
  const account = async (booked: readonly Booked[]): Promise<readonly boolean[]> => {
    asked.push(booked);
    const answer = left.shift();
    if (answer instanceof Error) throw answer;
    return booked.map(() => answer ?? true);
  };
  const books = createLateBooks({
    history: { account },
    log: pino({ level: 'silent' }),
    leaving: leaving.signal,
    everyMs: 1,
  });
  return { books, asked, leaving };
}

describe('the books of what has ended', () => {
  it('are kept when they say something, and what comes together is one write', async () => {
    const { books, asked } = play();
    const reading = Promise.withResolvers<Accounting | undefined>();
    books.add(ref, reading.promise);
    books.add({ ...ref, executionId: 'e2' }, reading.promise);
    books.add({ ...ref, executionId: 'e3' }, Promise.resolve(undefined));
    reading.resolve(accounting);
    await books.idle();
    expect(asked).toEqual([
      [
        { ...ref, accounting },
        { ...ref, executionId: 'e2', accounting },
      ],
    ]);
    books.add({ ...ref, executionId: 'e4' }, Promise.resolve(accounting));
    await books.idle();
    expect(asked.slice(1)).toEqual([[{ ...ref, executionId: 'e4', accounting }]]);
  });

  it('wait until the end is in the history, through its outages', async () => {
    const { books, asked } = play(false, new Error('the history is away'), false);
    books.add(ref, Promise.resolve(accounting));
    await books.idle();
    expect(asked).toHaveLength(4);
  });

  it('are given up for an execution that is never there', async () => {
    const { books, asked } = play(...Array.from({ length: 1_000 }, () => false as const));
    books.add(ref, Promise.resolve(accounting));
    await books.idle();
    expect(asked.length).toBeLessThan(1_000);
  });

  it.each([
    ['say nothing yet', new Promise<undefined>(() => {}), 0],
    ['cannot be kept', Promise.resolve(accounting), 1],
  ])('keep nobody who leaves, where they %s', async (_, reading, calls) => {
    const { books, asked, leaving } = play(...Array.from({ length: 10_000 }, () => new Error('the history is away')));
    books.add(ref, reading);
    await until(() => asked.length >= calls);
    leaving.abort(new Error('left'));
    await books.idle();
    expect(asked.length).toBeLessThan(10_000);
  });
});
