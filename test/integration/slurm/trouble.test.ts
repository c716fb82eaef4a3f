/** Trouble around a real Slurm, and what an execution says of it meanwhile: nothing is decided by silence. */

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Launcher } from '../../../src/launcher/launcher.ts';
import { type Cluster, canRunCluster, startCluster } from '../../support/cluster.ts';
import { readOutput } from '../../support/follow-attempt.ts';
import type { LauncherBench } from '../../support/launcher-contract.ts';
import { startAccounting, stopAccounting } from '../../support/slurm-accounting.ts';
import { createSlurmAttempts, type SlurmAttempts, scancelAs } from '../../support/slurm-attempts.ts';
import { makeSlurmBench } from '../../support/slurm-bench.ts';
import { ensureTestImage, testImage } from '../../support/test-image.ts';
import { until } from '../../support/until.ts';

const canRun = await canRunCluster();
const signal = new AbortController().signal;
const caseMs = 240_000;

/** Stands before a program of the login node, with its real one as `$real`. */
const wrap = (program: string, script: string): string =>
  `mv -n /usr/bin/${program} /usr/bin/${program}.real; ` +
  `printf '#!/bin/sh\\nreal=%s\\n%s\\n' /usr/bin/${program}.real '${script}' >/usr/bin/${program}; chmod 755 /usr/bin/${program}`;
const unwrap = (program: string): string =>
  `if [ -e /usr/bin/${program}.real ]; then mv /usr/bin/${program}.real /usr/bin/${program}; fi`;

describe.runIf(canRun)('while a cluster has trouble', () => {
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
    bench = await makeSlurmBench(cluster, image, { accounting: 2_000, late: 15_000 });
    launcher = await bench.open();
    attempts = createSlurmAttempts(bench, launcher);
  }, 120_000);

  afterEach(async () => {
    vi.useRealTimers();
    await cluster.exec('login', `${unwrap('squeue')}; ${unwrap('sacct')}`);
    await startAccounting(cluster);
    await cluster.exec('controller', 'pkill -CONT slurmctld; true');
    await cluster.exec('controller', 'scontrol update nodename=c1,c2 state=resume || true');
    await cluster.exec('controller', 'scontrol update partitionname=normal state=up');
    await launcher.close();
    await bench[Symbol.asyncDispose]();
  }, 120_000);

  it(
    'a node that is drained under a job lets it end, and what comes later says why it waits',
    async () => {
      const running = await attempts.start({ holds: true, log: ['still here'] });
      await attempts.untilRunning(running);
      await cluster.exec('controller', 'scontrol update nodename=c1,c2 state=drain reason=test');
      const waiting = await attempts.start({});
      const wait = await attempts.untilWaiting(waiting, /down, drained or reserved|Nodes .* busy/);
      expect(wait.next).not.toBe('');
      await bench.release(running.handle);
      expect(await running.end).toMatchObject({ kind: 'exited', exitCode: 0 });
      await cluster.exec('controller', 'scontrol update nodename=c1,c2 state=resume');
      expect(await waiting.end).toMatchObject({ kind: 'exited', exitCode: 0 });
      for (const { handle } of [running, waiting]) await launcher.remove(handle);
    },
    caseMs,
  );

  it(
    'accounting that is down holds up no end that is on record, and its books are missing',
    async () => {
      const attempt = await attempts.start({ holds: true, exitCode: 5 });
      await attempts.untilRunning(attempt);
      await stopAccounting(cluster);
      await bench.release(attempt.handle);
      expect(await attempt.end).toMatchObject({ kind: 'exited', exitCode: 5 });
      const output = await launcher.collect(attempt.handle, signal);
      expect(output.usage?.cpuMs).toBeGreaterThanOrEqual(0);
      expect(await output.readAccounting?.()).toBeUndefined();
      await launcher.remove(attempt.handle);
    },
    caseMs,
  );

  it(
    'an end that only the accounting can tell is unknown while it is down, and then right',
    async () => {
      const attempt = await attempts.start({});
      await cluster.exec('controller', 'scontrol update partitionname=normal state=down');
      const waiting = await attempts.start({});
      await attempts.untilWaiting(waiting, /Its partition takes no jobs now/);
      // The queue forgets it at once, as it does on a busy cluster.
      await cluster.exec('login', wrap('squeue', 'echo last_update_time=0'));
      await stopAccounting(cluster);
      const wait = await attempts.untilWaiting(waiting, /The accounting of Slurm does not answer/);
      expect(wait).toMatchObject({ owner: 'operator', next: 'It is asked again by itself; what runs goes on' });
      await cluster.exec(
        'controller',
        `scancel ${waiting.handle.nativeId}; scontrol update partitionname=normal state=up`,
      );
      expect(waiting.events.every(({ kind }) => kind === 'queued')).toBe(true);
      await startAccounting(cluster);
      expect(await waiting.end).toMatchObject({
        kind: 'cancelled',
        detail: expect.stringContaining('cancelled by the site') as string,
      });
      await attempt.end;
      for (const { handle } of [attempt, waiting]) await launcher.remove(handle);
    },
    caseMs,
  );

  it(
    'a Slurm that does not answer is told as the reason of the wait, and nothing is decided by it',
    async () => {
      await cluster.exec('controller', 'scontrol update partitionname=normal state=down');
      const waiting = await attempts.start({});
      await attempts.untilWaiting(waiting, /Its partition takes no jobs now/);
      const refuse = 'echo "slurm_load_jobs error: Unable to contact slurm controller (connect failure)" >&2; exit 1';
      await cluster.exec('login', wrap('squeue', refuse));
      const wait = await attempts.untilWaiting(waiting, /Unable to contact slurm controller/);
      expect(wait.owner).toBe('operator');
      await cluster.exec('login', unwrap('squeue'));
      await cluster.exec('controller', 'scontrol update partitionname=normal state=up');
      expect(await waiting.end).toMatchObject({ kind: 'exited', exitCode: 0 });
      await launcher.remove(waiting.handle);
    },
    caseMs,
  );

  it(
    'a login node that is rebooted is told as the reason of the wait, and what runs goes on without it',
    async () => {
      const running = await attempts.start({ holds: true, exitCode: 3 });
      await attempts.untilRunning(running);
      await cluster.exec('controller', 'scontrol update partitionname=normal state=down');
      const waiting = await attempts.start({});
      await attempts.untilWaiting(waiting, /Its partition takes no jobs now/);
      await cluster.compose('stop', '--timeout', '1', 'login');
      try {
        const wait = await attempts.untilWaiting(waiting, /The cluster cannot be reached/);
        expect(wait).toMatchObject({ owner: 'network', next: 'It is asked again by itself; what runs goes on' });
      } finally {
        await cluster.compose('up', '--detach', '--no-recreate', '--wait', 'login');
      }
      await cluster.exec('controller', 'scontrol update partitionname=normal state=up');
      await bench.release(running.handle);
      expect(await running.end).toMatchObject({ kind: 'exited', exitCode: 3 });
      expect(await waiting.end).toMatchObject({ kind: 'exited', exitCode: 0 });
      for (const { handle } of [running, waiting]) await launcher.remove(handle);
    },
    caseMs,
  );

  it(
    'a controller that limits how often it may be asked is asked less often, and the wait says so',
    async () => {
      const file = '/etc/slurm/slurm.conf';
      const limit = 'SlurmctldParameters=rl_enable,rl_bucket_size=3,rl_refill_rate=1,rl_refill_period=1';
      await cluster.exec('controller', `cp -n ${file} ${file}.kept; echo ${limit} >>${file}; scontrol reconfigure`);
      // What was said of a partition by hand is gone with a reconfiguration.
      await cluster.exec('controller', 'scontrol update partitionname=normal state=down');
      const waiting = await attempts.start({});
      try {
        const wait = await attempts.untilWaiting(waiting, /Slurm limits how often it is asked/);
        expect(wait.reason).toContain('rate limited');
      } finally {
        await cluster.exec('controller', `mv ${file}.kept ${file}; scontrol reconfigure`);
      }
      await cluster.exec('controller', 'scontrol update partitionname=normal state=up');
      expect(await waiting.end).toMatchObject({ kind: 'exited', exitCode: 0 });
      await launcher.remove(waiting.handle);
    },
    caseMs,
  );

  it(
    'a sacct without JSON is asked in columns, with the same ends and the same books',
    async () => {
      const refuse =
        'case " $* " in *" --json "*) echo "error: JSON plugin loading failure" >&2; exit 1;; esac; exec $real "$@"';
      await cluster.exec('login', wrap('sacct', refuse));
      const [done, cancelled] = await Promise.all([
        attempts.start({ script: 'usleep 1500000; exit 4' }),
        attempts.start({ holds: true, ignoresTerm: true }),
      ]);
      await attempts.untilRunning(cancelled);
      await scancelAs(cluster, 'alice', cancelled);
      expect(await done.end).toMatchObject({ kind: 'exited', exitCode: 4 });
      expect(await cancelled.end).toMatchObject({
        kind: 'cancelled',
        detail: 'Its job was cancelled by its user "alice"',
      });
      const accounting = await (await launcher.collect(done.handle, signal)).readAccounting?.();
      expect(accounting).toMatchObject({ jobId: done.handle.nativeId, nodes: expect.stringMatching(/^c/) as string });
      for (const { handle } of [done, cancelled]) await launcher.remove(handle);
    },
    caseMs,
  );

  it.each([
    ['behind', -60_000],
    ['ahead', 60_000],
  ])(
    'a clock of ours that is a minute %s changes neither ends nor books',
    async (_, skewMs) => {
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + skewMs, shouldAdvanceTime: false });
      const moving = setInterval(() => vi.setSystemTime(Date.now() + 100), 100);
      try {
        const attempt = await attempts.start({ log: ['on time'], results: ['one'], exitCode: 6 });
        expect(await attempt.end).toMatchObject({ kind: 'exited', exitCode: 6 });
        const output = await launcher.collect(attempt.handle, signal);
        expect(await readOutput(output)).toMatchObject({ log: 'on time\n', results: ['one'] });
        expect(await output.readAccounting?.()).toMatchObject({ jobId: attempt.handle.nativeId });
        await launcher.remove(attempt.handle);
      } finally {
        clearInterval(moving);
      }
    },
    caseMs,
  );

  it(
    'a full file system lets a launch wait with the reason, and go on when there is room',
    async () => {
      const place = '/lustre/alice/.abaco';
      const own = await makeSlurmBench(cluster, image, { work: `${place}/full` });
      const full = await own.open();
      const fullAttempts = createSlurmAttempts(own, full);
      await cluster.exec(
        'login',
        `install -d -o alice -g science -m 700 ${place} ${place}/full && mount -t tmpfs -o size=16k,mode=777 tmpfs ${place}/full`,
      );
      try {
        const bytes = Buffer.alloc(1_000_000);
        const binaryMessage = {
          bytes: bytes.byteLength,
          open: async function* () {
            yield bytes;
          },
        };
        await expect(fullAttempts.start({}, { binaryMessage })).rejects.toMatchObject({
          code: 'host.disk_full',
          retryable: true,
        });
      } finally {
        await cluster.exec('login', `umount -l ${place}/full`);
      }
      const attempt = await fullAttempts.start({ log: ['room again'] });
      expect(await attempt.end).toMatchObject({ kind: 'exited', exitCode: 0 });
      await full.remove(attempt.handle);
      await full.close();
      await own[Symbol.asyncDispose]();
    },
    caseMs,
  );

  it(
    'an account that does not see the jobs of all is found by probe, and each user can be asked for instead',
    async () => {
      const file = '/etc/slurm/slurm.conf';
      await cluster.exec(
        'controller',
        `cp -n ${file} ${file}.kept; echo PrivateData=jobs >>${file}; scontrol reconfigure`,
      );
      const byOwner = await makeSlurmBench(cluster, image, { poll_as: 'owners' });
      const asking = await byOwner.open();
      try {
        const polling = async (which: Launcher) =>
          (await which.probe(signal)).checks.find(({ name }) => name === 'polling');
        await until(async () => (await polling(launcher))?.ok === false, { timeoutMs: 30_000, everyMs: 500 });
        expect((await polling(launcher))?.detail).toContain('Jobs are hidden from "abaco" (PrivateData=jobs)');
        expect(await polling(asking)).toMatchObject({
          ok: true,
          detail: expect.stringContaining('per user') as string,
        });
        const its = createSlurmAttempts(byOwner, asking);
        const attempt = await its.start({ holds: true, ignoresTerm: true });
        await its.untilRunning(attempt);
        await scancelAs(cluster, 'alice', attempt);
        expect(await attempt.end).toMatchObject({ kind: 'cancelled' });
        await asking.remove(attempt.handle);
        await cluster.exec('controller', 'sacctmgr -i modify user abaco set adminlevel=operator');
        expect(await polling(launcher)).toMatchObject({ ok: true });
      } finally {
        await cluster.exec('controller', 'sacctmgr -i modify user abaco set adminlevel=none || true');
        await cluster.exec('controller', `mv ${file}.kept ${file}; scontrol reconfigure`);
        await asking.close();
        await byOwner[Symbol.asyncDispose]();
      }
    },
    caseMs,
  );
});
