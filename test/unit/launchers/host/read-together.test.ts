import { describe, expect, it } from 'vitest';
import type { Host } from '../../../../launchers/host/host.ts';
import { readTogether } from '../../../../launchers/host/read-together.ts';

/** Counts its rounds; all else is never asked. */
function countingHost() {
  const rounds: (readonly string[])[] = [];
  const readLinks = async (paths: readonly string[]): Promise<readonly string[]> => {
    rounds.push(paths);
    return paths.map((path) => `to ${path}`);
  };
  return { rounds, host: readTogether({ name: 'counting', readLinks } as unknown as Host) };
}

describe('looks at small files', () => {
  it('that are asked for in one turn are one round', async () => {
    const { rounds, host } = countingHost();
    const answers = await Promise.all(['a', 'b', 'c'].map(async (path) => await host.readLinks([path])));
    expect(answers).toEqual([['to a'], ['to b'], ['to c']]);
    expect(rounds).toEqual([['a', 'b', 'c']]);
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7, 8])(
    'are answered also when they come %i steps after the round before',
    async (steps) => {
      const { host } = countingHost();
      await host.readLinks(['first']);
      for (let step = 0; step < steps; step += 1) await Promise.resolve();
      expect(await host.readLinks(['second'])).toEqual(['to second']);
    },
  );
});
