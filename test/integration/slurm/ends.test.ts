/** How attempts end on a real Slurm, whoever ends them, and what its books say afterwards. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Launcher } from '../../../src/launcher/launcher.ts';
import { type Cluster, canRunCluster, startCluster } from '../../support/cluster.ts';
import { readOutput } from '../../support/follow-attempt.ts';
import type { LauncherBench } from '../../support/launcher-contract.ts';
import { createSlurmAttempts, type Followed, type SlurmAttempts, scancelAs } from '../../support/slurm-attempts.ts';
import { makeSlurmBench } from '../../support/slurm-bench.ts';
import { makeTestDirectory } from '../../support/test-directory.ts';
import { ensureTestImage, testImage } from '../../support/test-image.ts';
import { until } from '../../support/until.ts';

const canRun = await canRunCluster();
const signal = new AbortController().signal;
const caseMs = 240_000;

describe.runIf(canRun)('an attempt on Slurm', () => {
  let cluster: Cluster;
  let image: string;
  let bench: LauncherBench;
  let launcher: Launcher;
  let attempts: SlurmAttempts;

  beforeAll(async () => {
    cluster = await startCluster();
    await ensureTestImage();
    image = await cluster.push(testImage);
  }, 600_000);

  afterAll(async () => await cluster[Symbol.asyncDispose](), 120_000);

  beforeEach(async () => {
    bench = await makeSlurmBench(cluster, image);
    launcher = await bench.open();
    attempts = createSlurmAttempts(bench, launcher);
  }, 120_000);

  afterEach(async () => {
    await cluster.exec('controller', 'scontrol update partitionname=normal state=up');
    await launcher.close();
    await bench[Symbol.asyncDispose]();
  }, 60_000);

  const accountingOf = async ({ handle }: Followed) =>
    await (await launcher.collect(handle, signal)).readAccounting?.();

  it(
    'has its exit code, its log, and what Slurm has on its books',
    async () => {
      const attempt = await attempts.start({
        script: 'i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo done; usleep 1500000; exit 3',
      });
      expect(await attempt.end).toMatchObject({ kind: 'exited', exitCode: 3 });
      expect(await readOutput(await launcher.collect(attempt.handle, signal))).toMatchObject({ log: 'done\n' });
      const accounting = await accountingOf(attempt);
      expect(accounting).toMatchObject({
        jobId: attempt.handle.nativeId,
        nodes: expect.stringMatching(/^c[12]$/) as string,
      });
      expect(accounting?.elapsedMs).toBeGreaterThanOrEqual(1_000);
      expect(accounting?.cpuMs).toBeGreaterThan(10);
      expect(accounting?.maxMemoryBytes).toBeGreaterThan(1_000_000);
      await launcher.remove(attempt.handle);
    },
    caseMs,
  );

  it(
    'is known to have ended once its output tells, long before Slurm is asked again',
    async () => {
      await using rare = await makeSlurmBench(cluster, image, { poll: 3_600_000, accounting: 0 });
      const asksRarely = await rare.open();
      const attempt = await createSlurmAttempts(rare, asksRarely).start({ script: 'usleep 1000000; exit 4' });
      // As a worker looks for output, live.
      await until(async () => (await asksRarely.collect(attempt.handle, signal)).usage !== undefined, {
        timeoutMs: 60_000,
        what: 'its end record',
      });
      expect(await attempt.end).toMatchObject({ kind: 'exited', exitCode: 4 });
      await asksRarely.remove(attempt.handle);
      await asksRarely.close();
    },
    caseMs,
  );

  it(
    'whose start failed before its program began is started again by its own job',
    async () => {
      await using site = await makeTestDirectory('templates');
      mkdirSync(join(site.path, 'partials'));
      // An Apptainer that cannot learn its user the first time it is asked.
      const bin = '/lustre/alice/unlucky';
      const program = `#!/bin/sh
if mkdir ${bin}/asked 2>/dev/null; then echo "FATAL: unknown userid" >&2; exit 255; fi
exec /usr/bin/apptainer "$@"
`;
      const file = Buffer.from(program).toString('base64');
      await cluster.exec(
        'login',
        `rm -rf ${bin} && mkdir ${bin} && echo ${file} | base64 -d >${bin}/apptainer && chmod 755 ${bin}/apptainer && chown -R alice ${bin}`,
      );
      writeFileSync(join(site.path, 'partials', 'preamble.mustache'), `export PATH=${bin}:/usr/bin:/bin\n`);
      await using unlucky = await makeSlurmBench(cluster, image, { templates: site.path });
      const itsLauncher = await unlucky.open();
      const attempt = await createSlurmAttempts(unlucky, itsLauncher).start({ script: 'echo ran; exit 4' });
      expect(await attempt.end).toMatchObject({ kind: 'exited', exitCode: 4 });
      expect(await readOutput(await itsLauncher.collect(attempt.handle, signal))).toMatchObject({ log: 'ran\n' });
      await itsLauncher.remove(attempt.handle);
      await itsLauncher.close();
      expect(await cluster.exec('login', `ls ${bin}`)).toBe('apptainer\nasked\n');
    },
    caseMs,
  );

  it(
    'that names a job of another as its own learns nothing of it',
    async () => {
      const asBob = 'cd /tmp && exec setpriv --reuid 10002 --regid 20000 --clear-groups';
      const submit = 'sbatch --parsable --job-name=abaco-s1 --output=/dev/null --wrap "sleep 1"';
      const theirs = (await cluster.exec('login', `${asBob} ${submit}`)).trim();
      const said = async () => await cluster.exec('login', `sacct -n -X -o State -j ${theirs}`);
      await until(async () => (await said()).trim() === 'COMPLETED', { timeoutMs: 90_000, what: 'their job' });
      const marker = '/_abaco/ledger/start';
      const attempt = await attempts.start({
        script: `ln -sfn "$(readlink ${marker} | cut -d@ -f1)@${theirs}.0" ${marker}; usleep 8000000`,
      });
      await attempt.end;
      expect(await accountingOf(attempt)).toBeUndefined();
      await launcher.remove(attempt.handle);
    },
    caseMs,
  );

  it(
    'that a signal ends has its exit code, and no other cause',
    async () => {
      const attempt = await attempts.start({ script: 'kill -SEGV $$' });
      expect(await attempt.end).toMatchObject({ kind: 'exited', exitCode: 139 });
      await launcher.remove(attempt.handle);
    },
    caseMs,
  );

  it(
    'that needs more memory than it may have is ended for that',
    async () => {
      const attempt = await attempts.start(
        { script: 'awk \'BEGIN { s = "x"; while (length(s) < 400000000) s = s s; system("sleep 20") }\'' },
        {
          limits: {
            graceMs: 1_000,
            logBytes: 1_000,
            resultBytes: 1_000,
            resultTotalBytes: 10_000_000,
            resultCount: 1_000,
            memoryBytes: 40_000_000,
          },
        },
      );
      expect(await attempt.end).toMatchObject({ kind: 'killed', by: 'out-of-memory' });
      await launcher.remove(attempt.handle);
    },
    caseMs,
  );

  it.each([
    ['alice', 'Its job was cancelled by its user "alice"'],
    ['root', 'Its job was cancelled by the site, as "root"'],
  ])(
    'that %s takes from the queue, or ends while it runs, says so, and is handed over no second time',
    async (user, detail) => {
      const running = await attempts.start({ holds: true, ignoresTerm: true });
      await attempts.untilRunning(running);
      await cluster.exec('controller', 'scontrol update partitionname=normal state=down');
      const waiting = await attempts.start({});
      await attempts.untilWaiting(waiting, /Its partition takes no jobs now/);
      await scancelAs(cluster, user, running);
      await scancelAs(cluster, user, waiting);
      expect(await waiting.end).toMatchObject({ kind: 'cancelled', detail });
      expect(await running.end).toMatchObject({ kind: 'cancelled', detail });
      expect(await bench.starts(waiting.handle)).toBe(0);
      for (const { handle } of [running, waiting]) await launcher.remove(handle);
    },
    caseMs,
  );

  it(
    'that we cancel names nobody',
    async () => {
      const attempt = await attempts.start({ holds: true });
      await attempts.untilRunning(attempt);
      await launcher.cancel(attempt.handle, 500);
      const end = await attempt.end;
      expect(end).toMatchObject({ kind: 'cancelled' });
      expect(end).not.toHaveProperty('detail');
      await launcher.remove(attempt.handle);
    },
    caseMs,
  );

  it(
    'that Slurm ends at its time limit was too long',
    async () => {
      const attempt = await attempts.start({ holds: true, ignoresTerm: true });
      await attempts.untilRunning(attempt);
      await cluster.exec('controller', `scontrol update jobid=${attempt.handle.nativeId} timelimit=1`);
      expect(await attempt.end).toMatchObject({ kind: 'killed', by: 'time-limit' });
      await launcher.remove(attempt.handle);
    },
    caseMs,
  );

  it(
    'whose place another job takes was preempted',
    async () => {
      const file = '/etc/slurm/slurm.conf';
      const configure = async (line: string): Promise<void> => {
        await cluster.exec('controller', `${line} && scontrol reconfigure`);
      };
      await configure(
        `cp -n ${file} ${file}.kept; printf 'PreemptType=preempt/partition_prio\\nPreemptMode=CANCEL\\n' >>${file}`,
      );
      try {
        await cluster.exec('controller', 'scontrol create partitionname=scavenge nodes=ALL prioritytier=0 maxtime=60');
        const preempted = await makeSlurmBench(cluster, image, { partition: 'scavenge' });
        const itsLauncher = await preempted.open();
        const itsAttempts = createSlurmAttempts(preempted, itsLauncher);
        const attempt = await itsAttempts.start({ holds: true, ignoresTerm: true });
        await itsAttempts.untilRunning(attempt);
        const taker = await cluster.exec(
          'login',
          'cd /lustre/alice && setpriv --reuid alice --regid $(id -g alice) --init-groups sbatch --parsable -N2 --exclusive -t1 --wrap "sleep 1"',
        );
        expect(taker).toMatch(/^\d+/);
        expect(await attempt.end).toMatchObject({ kind: 'killed', by: 'preemption' });
        await itsLauncher.remove(attempt.handle);
        await itsLauncher.close();
        await preempted[Symbol.asyncDispose]();
      } finally {
        await cluster.exec('controller', 'scontrol delete partitionname=scavenge || true');
        await configure(`mv ${file}.kept ${file}`);
      }
    },
    caseMs,
  );

  it(
    'whose scratch is to be kept leaves it for its user, without what was secret, until it is old',
    async () => {
      const attempt = await attempts.start(
        { script: 'echo wrote > /tmp/evidence' },
        { keepScratch: true, environment: { SECRET: 'token' } },
      );
      await attempt.end;
      await launcher.remove(attempt.handle);
      await launcher.remove(attempt.handle);
      const kept = '/lustre/alice/.abaco/*/kept';
      const { executionId } = attempt.handle;
      expect(await cluster.exec('login', `cat ${kept}/${executionId}-1/scratch/tmp/evidence`)).toBe('wrote\n');
      expect(await cluster.exec('login', `grep -rl token ${kept}/${executionId}-1 || true`)).toBe('');
      await launcher.sweep(async (found) => found, signal);
      expect(await cluster.exec('login', `ls ${kept}`)).toContain(executionId);
      await cluster.exec('login', `touch -d '2 hours ago' ${kept}/${executionId}-1`);
      // One that has looked at nobody yet.
      const other = await bench.open();
      await other.sweep(async (found) => found, signal);
      await other.close();
      expect(await cluster.exec('login', `ls ${kept}`)).not.toContain(executionId);
    },
    caseMs,
  );
});
