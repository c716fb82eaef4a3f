import { describe, expect, it } from 'vitest';
import { createReadOnlyTrees } from '../../../../launchers/docker/read-only-trees.ts';

const { signal } = new AbortController();

describe('whether an engine makes read-only what is below a read-only mount', () => {
  it.each([
    ['1.41', false],
    ['1.43', false],
    ['1.44', true],
    ['1.51', true],
    ['2.0', true],
    ['', false],
    [undefined, false],
  ])('is read from the version of its API: %s', async (ApiVersion, answer) => {
    const engine = { socket: '', ask: async () => ({ ApiVersion }), close: () => undefined };
    expect(await createReadOnlyTrees(engine)(signal)).toBe(answer);
  });

  it('is asked once, and again of an engine that was away', async () => {
    const answers = [new Error('away'), { ApiVersion: '1.44' }];
    const ask = async () => {
      const answer = answers.shift();
      if (answer instanceof Error) throw answer;
      return answer;
    };
    const readOnlyTrees = createReadOnlyTrees({ socket: '', ask, close: () => undefined });
    await expect(readOnlyTrees(signal)).rejects.toThrow('away');
    expect(await readOnlyTrees(signal)).toBe(true);
    expect(await readOnlyTrees(signal)).toBe(true);
  });
});
