import { describe, expect, it } from 'vitest';
import { createPrepareProgress } from '../../../src/workers/prepare-progress.ts';

describe('the progress of a preparation', () => {
  it('is passed on at once, and not for every word', async () => {
    const told: string[] = [];
    const progress = createPrepareProgress(async (text) => void told.push(text));
    for (const text of ['one', 'one', 'two', 'three']) progress.tell(text);
    await progress.end();
    expect(told).toEqual(['one']);
  });

  it('is silent after its end, which waits for what is being passed on', async () => {
    const passed = Promise.withResolvers<void>();
    const told: string[] = [];
    const progress = createPrepareProgress(async (text) => {
      await passed.promise;
      told.push(text);
    });
    progress.tell('one');
    const end = progress.end();
    progress.tell('two');
    passed.resolve();
    await end;
    expect(told).toEqual(['one']);
  });

  it('that cannot be passed on stops nothing', async () => {
    const progress = createPrepareProgress(async () => {
      throw new Error('no');
    });
    progress.tell('one');
    await expect(progress.end()).resolves.toBeUndefined();
  });
});
