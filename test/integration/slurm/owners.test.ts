/** A job runs as the account of its owner's name only where that account is the owner. */

import { describe, expect, it } from 'vitest';
import { canRunCluster } from '../../support/cluster.ts';
import { useSlurm } from '../../support/slurm-suite.ts';

const caseMs = 180_000;
const signal = new AbortController().signal;
const held = ['sh', '-c', 'until [ -e /lustre/go-owners ]; do sleep 0.2; done'];

describe.runIf(await canRunCluster())('an owner with the name of an account', () => {
  const slurm = useSlurm();
  const entries = async (): Promise<string> =>
    await slurm.asAlice(`ls .abaco/${slurm.installationId}/ledger 2>/dev/null || true`);

  it.each([
    ['that is another user', '7001:7001', 'its uid is 7001, and that account has uid 10001'],
    ['of whom nobody says who it is', undefined, 'nobody says what its uid is, and that account has uid 10001'],
  ])(
    '%s runs nothing there, and leaves nothing',
    async (_who, user, words) => {
      const { user: _, ...spec } = slurm.spec(['sh', '-c', 'true']);
      const before = await entries();
      await expect(slurm.launcher.launch({ ...spec, ...(user ? { user } : {}) }, signal)).rejects.toMatchObject({
        name: 'ForbiddenError',
        code: 'identity.other',
        message: expect.stringContaining(words),
      });
      expect(await entries()).toBe(before);
    },
    caseMs,
  );

  it(
    'that is the one of the service runs nothing there',
    async () => {
      const id = (await slurm.cluster.exec('login', 'id -u abaco')).trim();
      const refused = slurm.launch(['sh', '-c', 'true'], { owner: 'abaco', user: `${id}:${id}` });
      await expect(refused).rejects.toThrow('that account is the one of the service');
    },
    caseMs,
  );

  it(
    'that was it when its job started, and is another since, is given what runs',
    async () => {
      await slurm.asAlice('rm -f go-owners');
      const spec = slurm.spec(held);
      const handle = await slurm.launcher.launch(spec, signal);
      const events = slurm.launcher.watch(handle, AbortSignal.timeout(90_000));
      for await (const event of events) if (event.kind === 'running') break;
      const again = await slurm.launcher.launch({ ...spec, user: '7001:7001' }, signal);
      expect(again.nativeId).toBe(handle.nativeId);
      await slurm.asAlice('touch go-owners');
      expect((await slurm.finish(again)).end).toMatchObject({ kind: 'exited', exitCode: 0 });
    },
    caseMs,
  );
});
