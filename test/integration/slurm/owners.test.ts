/** A job runs as the account of its owner's name only where that account is the owner. */

import { describe, expect, it } from 'vitest';
import { canRunCluster } from '../../support/cluster.ts';
import { useSlurm } from '../../support/slurm-suite.ts';
import { until } from '../../support/until.ts';

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

  const directory = `/lustre/alice/.abaco/${slurm.installationId}`;

  it.each([
    ['whose directory cannot be read', `chmod 0 ${directory}`, `chmod 700 ${directory}`],
    ['whom sudo refuses', 'mv /etc/sudoers.d/abaco /root/sudoers', 'mv /root/sudoers /etc/sudoers.d/abaco'],
  ])(
    '%s for a while is not taken for one of whom nothing is there',
    async (_how, away, back) => {
      const onController = async (line: string): Promise<string> => await slurm.cluster.exec('controller', line);
      await onController('scontrol update partitionname=normal state=down');
      const handle = await slurm.launch(['sh', '-c', 'touch /lustre/ran-owners']);
      const stateOfJob = async (): Promise<string> =>
        (await onController(`squeue -h -t all -j ${handle.nativeId} -o %T`)).trim();
      // One that holds no connection yet, as after a restart.
      const other = await slurm.open({});
      await slurm.cluster.exec('login', away);
      try {
        const refusal = {
          name: 'UnavailableError',
          message: expect.stringMatching(
            /^Launcher "hpc" cannot see what account "alice" has there: (?:File|Host) .+/s,
          ),
          next: expect.stringContaining('once account "alice" is there, lets the service in'),
        };
        await expect(other.cancel(handle, 100)).rejects.toMatchObject(refusal);
        await expect(other.remove(handle)).rejects.toMatchObject(refusal);
        expect(await stateOfJob()).toBe('PENDING');
      } finally {
        await slurm.cluster.exec('login', back);
        await onController('scontrol update partitionname=normal state=up');
      }
      // It may have started by now; what is told is so either way.
      const told = await until(async () => await other.cancel(handle, 100).catch(() => undefined), {
        timeoutMs: 60_000,
        what: 'the account',
      });
      const { end } = await slurm.finish(handle);
      const hasRun = (await slurm.asAlice('ls')).includes('ran-owners');
      expect([told, end.kind]).toEqual(hasRun ? ['stopping', expect.anything()] : ['never-started', 'cancelled']);
      await slurm.asAlice('rm -f ran-owners');
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
