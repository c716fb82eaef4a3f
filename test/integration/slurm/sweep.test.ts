/** What a sweep finds of users on a real cluster, and what it costs the cluster and them. */

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Launcher } from '../../../src/launcher/launcher.ts';
import { canRunCluster } from '../../support/cluster.ts';
import { followToEnd } from '../../support/follow-attempt.ts';
import { useSlurm } from '../../support/slurm-suite.ts';
import { until } from '../../support/until.ts';

const canRun = await canRunCluster();
const signal = new AbortController().signal;
const caseMs = 120_000;

describe.runIf(canRun)('a sweep of a Slurm cluster', () => {
  const slurm = useSlurm();
  const users = { alice: 10_001, bob: 10_002 } as const;
  const workOf = (user: string): string => `/lustre/${user}/.abaco/${slurm.installationId}`;
  const owners = (): string => `/lustre/abaco/owners/${slurm.installationId}`;
  /** What stands below the work directory of a user who has had something run. */
  const has = async (user: keyof typeof users, line: string): Promise<void> => {
    const own = `mkdir -p ${workOf(user)}/run ${workOf(user)}/jobs && cd ${workOf(user)} && ${line}`;
    const asUser = `setpriv --reuid ${users[user]} --regid 20000 --clear-groups sh -c '${own}'`;
    await slurm.cluster.exec('login', `${asUser} && touch ${owners()}/${user}`);
  };
  const left = async (user: string): Promise<string> =>
    await slurm.cluster.exec('login', `cd ${workOf(user)} && ls run jobs`);
  const sweep = async (launcher: Launcher, isLive = false) =>
    await launcher.sweep(async (found) => (isLive ? [] : found), signal);

  beforeAll(async () => {
    const made = `install -d -o abaco -g abaco -m 700 /lustre/abaco/owners ${owners()}`;
    await slurm.cluster.exec('login', `rm -rf ${owners()} && ${made}`);
  });

  // Before the suite's own, which takes the cluster down.
  afterAll(async () => void (await slurm.cluster.exec('login', `rm -rf ${owners()} ${workOf('bob')}`)));

  it(
    'goes on with the others where one has left the cluster, and so do those who look at images',
    async () => {
      await slurm.cluster.exec('login', `touch ${owners()}/aaron`);
      onTestFinished(async () => void (await slurm.cluster.exec('login', `rm ${owners()}/aaron`)));
      await has('alice', 'mkdir run/eleft-1');
      const launcher = await slurm.open({});
      expect(await sweep(launcher)).toEqual([{ executionId: 'eleft', attempt: 1, owner: 'alice' }]);
      const digests = (await launcher.images?.list())?.map(({ digest }) => digest);
      expect(digests).toContain(slurm.spec([]).image.digest);
      const request = { olderThanMs: 3_600_000, dryRun: true, now: new Date(), isNeeded: () => false };
      expect(await launcher.images?.prune(request)).toEqual([]);
    },
    caseMs,
  );

  it(
    'lets the connection of a user close once their last work is gone',
    async () => {
      const launcher = await slurm.open({ idle: 300 });
      const agents = async (): Promise<number> =>
        Number(await slurm.cluster.exec('login', 'pgrep -u alice -c -f -- --stdio || true'));
      expect(await agents()).toBe(0);
      const handle = await launcher.launch(slurm.spec(['sh', '-c', ':']), signal);
      expect(await followToEnd(launcher, handle, 60_000)).toMatchObject({ kind: 'exited', exitCode: 0 });
      expect(await agents()).toBe(1);
      await launcher.remove(handle);
      const isClosed = async (): Promise<boolean> => {
        await sweep(launcher);
        return (await agents()) === 0;
      };
      await until(isClosed, { timeoutMs: 30_000, everyMs: 50, what: 'the connection to be closed' });
    },
    caseMs,
  );

  it(
    'asks Slurm once, for all users with something that waits or runs',
    async () => {
      for (const user of ['alice', 'bob'] as const)
        await has(user, 'mkdir run/elive-1 jobs/s0000000000000001 && echo elive-1 >jobs/s0000000000000001/index');
      const launcher = await slurm.open({});
      const spy = 'echo "$@" >>/tmp/asked; exec /usr/bin/squeue.real "$@"';
      await slurm.cluster.exec(
        'login',
        `rm -f /tmp/asked; mv -n /usr/bin/squeue /usr/bin/squeue.real; printf '#!/bin/sh\\n%s\\n' '${spy}' >/usr/bin/squeue; chmod 755 /usr/bin/squeue`,
      );
      try {
        expect(await sweep(launcher, true)).toEqual([]);
        const asked = (await slurm.cluster.exec('login', 'cat /tmp/asked')).trim().split('\n');
        expect(asked).toEqual([expect.stringContaining('--user=alice,bob ')]);
      } finally {
        await slurm.cluster.exec('login', 'mv /usr/bin/squeue.real /usr/bin/squeue; rm -f /tmp/asked');
      }
      expect((await sweep(launcher)).map(({ owner }) => owner)).toEqual(['alice', 'bob']);
      expect([await left('alice'), await left('bob')]).toEqual(['jobs:\n\nrun:\n', 'jobs:\n\nrun:\n']);
    },
    caseMs,
  );

  it(
    'takes away the directory of a submission that was never made once it is old',
    async () => {
      await has('alice', 'mkdir jobs/s000000000000000a jobs/s000000000000000b && touch -d "2 hours ago" jobs/*a');
      await sweep(await slurm.open({}));
      expect(await left('alice')).toBe('jobs:\ns000000000000000b\n\nrun:\n');
    },
    caseMs,
  );
});
