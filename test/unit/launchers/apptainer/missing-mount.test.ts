import { describe, expect, it } from 'vitest';
import { checkMounts } from '../../../../launchers/apptainer/missing-mount.ts';
import type { LaunchSpec } from '../../../../src/launcher/launcher.ts';

const host = {
  name: 'alice@login',
  list: async (path: string) => {
    if (path === '/closed') throw new Error('denied');
    return path === '/there' ? [] : undefined;
  },
};
const specWith = (attempt: number, ...paths: readonly string[]): LaunchSpec =>
  ({
    executionId: 'e1',
    attempt,
    mounts: paths.map((hostPath) => ({ hostPath, containerPath: '/x', mode: 'ro' })),
  }) as unknown as LaunchSpec;

describe('a directory that is to be mounted on a cluster', () => {
  it('is named where it is not there and a first attempt did not start', async () => {
    await expect(checkMounts(host, specWith(2, '/there', '/gone'))).rejects.toMatchObject({
      code: 'mount.missing',
      message: expect.stringContaining('directory "/gone", which is to be mounted, is not there on alice@login'),
    });
  });

  it('is left to the nodes at the first attempt, and where it is there or closed', async () => {
    await expect(checkMounts(host, specWith(1, '/gone'))).resolves.toBeUndefined();
    await expect(checkMounts(host, specWith(2, '/there', '/closed'))).resolves.toBeUndefined();
  });
});
