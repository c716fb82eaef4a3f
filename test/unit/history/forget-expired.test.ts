import { expect, it } from 'vitest';
import { forgetExpired } from '../../../src/history/forget-expired.ts';

it('removes the blobs of logs before their names are forgotten, so that no blob stays when it is cut off between', async () => {
  const named = new Set(['b1', 'b2']);
  const stored = new Set(['b1', 'b2', 'b3']);
  let isAway = true;
  const parts = {
    history: {
      expiredBlobs: async () => [...named],
      // One more has come due meanwhile.
      expireLogs: async () => {
        const blobs = [...named, 'b3'];
        named.clear();
        return { count: blobs.length, blobs };
      },
    },
    executions: { unreadableResults: async () => [], forgetResults: async () => undefined },
    blobs: {
      remove: async (name: string) => {
        if (isAway && name === 'b2') throw new Error('the directory is away');
        stored.delete(name);
      },
    },
    batch: 10,
  };
  await expect(forgetExpired(parts)).rejects.toThrow('the directory is away');
  isAway = false;
  expect(await forgetExpired(parts)).toBe(false);
  expect([...stored]).toEqual([]);
});
