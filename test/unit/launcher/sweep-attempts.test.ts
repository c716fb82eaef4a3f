import { describe, expect, it } from 'vitest';
import { attemptKey } from '../../../src/launcher/attempt-key.ts';
import type { AttemptRef } from '../../../src/launcher/launcher.ts';
import { sweepAttempts } from '../../../src/launcher/sweep-attempts.ts';

const attempts = (...ids: readonly string[]): AttemptRef[] => ids.map((executionId) => ({ executionId, attempt: 1 }));

/** A launcher of which the listings are given, one after the other; the last one stays. */
async function sweep(
  listings: readonly AttemptRef[][],
  live: readonly string[],
  signal = new AbortController().signal,
) {
  const removed: string[] = [];
  let looks = 0;
  const swept = await sweepAttempts({
    async list() {
      looks += 1;
      return listings[Math.min(looks, listings.length) - 1] ?? [];
    },
    findDead: async (found) => found.filter(({ executionId }) => !live.includes(executionId)),
    remove: async (ref) => void removed.push(attemptKey(ref)),
    signal,
  });
  return { removed, swept: swept.map(attemptKey), looks };
}

describe('sweeping attempts', () => {
  it('removes what nobody lives by, each once', async () => {
    const found = await sweep([attempts('A', 'B', 'A')], ['B']);
    expect(found).toMatchObject({ removed: ['A-1'], swept: ['A-1'] });
  });

  it('says nothing of what its owner removed meanwhile', async () => {
    expect(await sweep([attempts('A', 'B'), attempts('B')], [])).toMatchObject({ removed: ['B-1'], swept: ['B-1'] });
  });

  it('leaves alone what came after the first look', async () => {
    expect(await sweep([attempts('A'), attempts('A', 'young')], [])).toMatchObject({ removed: ['A-1'] });
  });

  it('removes a share of very much, says so, and leaves the rest to the next', async () => {
    const many = attempts(...Array.from({ length: 1_500 }, (_, index) => `x${index}`));
    const found = await sweep([many], []);
    expect([found.removed.length, found.swept]).toEqual([1_000, found.removed]);
  });

  it('looks once where everything lives', async () => {
    expect(await sweep([attempts('A')], ['A'])).toEqual({ removed: [], swept: [], looks: 1 });
  });

  it('stops when it is told to', async () => {
    await expect(sweep([attempts('A')], [], AbortSignal.abort(new Error('leaving')))).rejects.toThrow('leaving');
  });
});
