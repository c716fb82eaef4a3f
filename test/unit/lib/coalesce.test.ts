import { describe, expect, it } from 'vitest';
import { createCoalescer } from '../../../src/lib/coalesce.ts';

describe('createCoalescer', () => {
  it('gives all who come during a run one more run, which starts after it', async () => {
    const once = createCoalescer();
    const ends: (() => void)[] = [];
    const work = () => new Promise<void>((resolve) => ends.push(resolve));
    const first = once('a', work);
    const second = once('a', work);
    const third = once('a', work);
    expect(ends).toHaveLength(1);
    ends[0]?.();
    await first;
    await new Promise((resolve) => setImmediate(resolve));
    expect(ends).toHaveLength(2);
    ends[1]?.();
    await Promise.all([second, third]);
    const fourth = once('a', work);
    expect(ends).toHaveLength(3);
    ends[2]?.();
    await fourth;
  });

  it('runs different keys at once, and goes on after a failure', async () => {
    const once = createCoalescer();
    const failing = once('a', async () => Promise.reject(new Error('no')));
    const after = once('a', async () => undefined);
    await once('b', async () => undefined);
    await expect(failing).rejects.toThrow('no');
    await expect(after).resolves.toBeUndefined();
  });
});
