import { afterEach, describe, expect, it, vi } from 'vitest';
import { fairShare } from '../../../src/lib/fair-share.ts';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

describe('a fair share', () => {
  afterEach(() => void vi.useRealTimers());

  it('is all of what is little, each once', () => {
    expect([...fairShare(numbers(1_000))].toSorted((one, other) => one - other)).toEqual(numbers(1_000));
    expect([...fairShare([])]).toEqual([]);
  });

  it('is a thousand of what is more, from anywhere: what comes first keeps nothing out for ever', () => {
    vi.spyOn(Math, 'random').mockReturnValueOnce(0).mockReturnValueOnce(0.9999);
    const first = [...fairShare(numbers(100_000))];
    expect(first).toEqual(numbers(1_000));
    const other = [...fairShare(numbers(100_000))];
    expect([other.length, other[0], other.at(-1)]).toEqual([1_000, 99_990, 989]);
  });

  it('ends after a minute: what takes long is of one turn, and the rest of the next', () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    let taken = 0;
    for (const _ of fairShare(numbers(100))) {
      taken += 1;
      vi.setSystemTime(Date.now() + 25_000);
    }
    expect(taken).toBe(3);
  });
});
