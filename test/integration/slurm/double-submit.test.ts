/**
 * Slurm may take a job without saying so, start one again, or lose the node under it; we may die, or wake up late. In each
 * case every program starts once, by its own count. Two executions of each side by side; twenty with
 * `ABACO_TEST_DOUBLE=long` (npm run test:double-submit).
 */

import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { attemptKey } from '../../../src/launcher/attempt-key.ts';
import type {
  AttemptRef,
  LaunchEnd,
  Launcher,
  LaunchHandle,
  LaunchSpec,
  PreparedImage,
} from '../../../src/launcher/launcher.ts';
import { type Cluster, canRunCluster, startCluster } from '../../support/cluster.ts';
import { follow, followToEnd } from '../../support/follow-attempt.ts';
import type { LauncherBench, TestProgram } from '../../support/launcher-contract.ts';
import { requeueJob } from '../../support/requeue-job.ts';
import { makeSlurmBench, slurmOptions } from '../../support/slurm-bench.ts';
import { ensureTestImage, testImage } from '../../support/test-image.ts';
import { until } from '../../support/until.ts';

const canRun = await canRunCluster();

const count = process.env['ABACO_TEST_DOUBLE'] === 'long' ? 20 : 2;
const asAlice = (line: string): string => `setpriv --reuid 10001 --regid 20000 --init-groups ${line}`;
const signal = new AbortController().signal;
const caseMs = 240_000;

/** Stands before a program of the login node, with its real one as `$real`. */
const wrap = (program: string, script: string): string =>
  `mv -n /usr/bin/${program} /usr/bin/${program}.real; real=/usr/bin/${program}.real; ` +
  `printf '#!/bin/sh\\nreal=%s\\n%s\\n' "$real" '${script}' >/usr/bin/${program}; chmod 755 /usr/bin/${program}`;
const unwrap = (program: string): string =>
  `if [ -e /usr/bin/${program}.real ]; then mv /usr/bin/${program}.real /usr/bin/${program}; fi`;

/** A look at the queue that sees nothing, until there is `/tmp/cut-seeing`. */
const blind = 'if [ ! -e /tmp/cut-seeing ]; then echo last_update_time=0; exit 0; fi; exec $real "$@"';

describe.runIf(canRun)('a message is started once', () => {
  let cluster: Cluster;
  let bench: LauncherBench;
  let launcher: Launcher;
  let image: string;
  let prepared: PreparedImage;

  beforeAll(async () => {
    cluster = await startCluster();
    await ensureTestImage();
    image = await cluster.push(testImage);
  }, 600_000);

  afterAll(async () => await cluster[Symbol.asyncDispose](), 120_000);

  beforeEach(async () => {
    bench = await makeSlurmBench(cluster, image);
    launcher = await bench.open();
    prepared = await launcher.prepare({ name: image }, signal);
  }, 120_000);

  afterEach(async () => {
    await cluster.exec('login', `${['sbatch', 'squeue', 'scancel'].map(unwrap).join('; ')}; rm -rf /tmp/cut-*`);
    await setPartition('up');
    await launcher.close();
    await bench[Symbol.asyncDispose]();
  }, 60_000);

  const newRefs = (): readonly AttemptRef[] =>
    Array.from({ length: count }, () => ({
      executionId: `e${randomUUID().replaceAll('-', '').slice(0, 12)}`,
      attempt: 1,
      owner: 'alice',
    }));

  function specOf(ref: AttemptRef, program: TestProgram): LaunchSpec {
    const { argv, ...described } = bench.describe(program, ref);
    return {
      ...ref,
      ...described,
      tenant: 'lab',
      actorId: 'a1',
      privileged: false,
      image: { ...prepared, argv },
      limits: {
        graceMs: 1_000,
        logBytes: 10_000,
        resultBytes: 1_000,
        resultTotalBytes: 10_000_000,
        resultCount: 1_000,
      },
      notAfter: new Date(Date.now() + 3_600_000),
    };
  }

  /** As a worker does: what may pass is tried again. */
  async function patiently<T>(what: string, action: () => Promise<T>): Promise<T> {
    const { done } = await until(
      async () =>
        await action().then(
          (value) => ({ done: value }),
          (thrown: Error & { readonly retryable?: boolean }) => {
            if (thrown.retryable === true) return undefined;
            throw thrown;
          },
        ),
      { timeoutMs: 150_000, everyMs: 200, what },
    );
    return done;
  }

  async function launchPatiently(from: Launcher, ref: AttemptRef, program: TestProgram): Promise<LaunchHandle> {
    const spec = specOf(ref, program);
    return await patiently(`${attemptKey(ref)} to be launched`, async () => await from.launch(spec, signal));
  }

  const launchAll = async (refs: readonly AttemptRef[], program: TestProgram = {}): Promise<readonly LaunchHandle[]> =>
    await Promise.all(refs.map(async (ref) => await launchPatiently(launcher, ref, program)));

  /** Ends of all; afterwards nothing of them is left, and each has counted itself once. */
  async function expectOnce(handles: readonly LaunchHandle[]): Promise<readonly LaunchEnd[]> {
    const ends = await Promise.all(handles.map(async (handle) => await followToEnd(launcher, handle, 120_000)));
    await patiently(
      'the removal',
      async () => await Promise.all(handles.map(async (handle) => await launcher.remove(handle))),
    );
    // What waits for nothing is taken from the queue.
    await patiently('the sweep', async () => await launcher.sweep(async (found) => found, signal));
    // A second job, if there is one, has to have had its turn before anything can be said of it.
    await untilQueueIsEmpty();
    expect(await startsOf(handles)).toEqual(handles.map(() => 1));
    return ends;
  }

  /** How many jobs are in these states; with `-r`, how many elements. */
  const queued = async (states: string, ...flags: readonly string[]): Promise<number> =>
    Number(await cluster.exec('controller', `squeue -h -t ${states} ${flags.join(' ')} | wc -l`));

  const setPartition = async (state: 'up' | 'down'): Promise<string> =>
    await cluster.exec('controller', `scontrol update partitionname=normal state=${state}`);

  async function untilQueueIsEmpty(): Promise<void> {
    const isEmpty = async (): Promise<boolean> => (await queued('PD,CF,R,CG')) === 0;
    await until(isEmpty, { timeoutMs: 60_000, everyMs: 200, what: 'the queue to be empty' });
  }

  const startsOf = async (refs: readonly AttemptRef[]): Promise<readonly number[]> =>
    await Promise.all(refs.map(async (ref) => await bench.starts(ref)));

  async function untilStarted(refs: readonly AttemptRef[]): Promise<void> {
    const allOnce = async (): Promise<boolean> => (await startsOf(refs)).every((each) => each === 1);
    await until(allOnce, { timeoutMs: 60_000, what: 'the programs' });
  }

  /** Each job that there is for these has started: `owners` hold, any other has ended by itself, or has counted itself too. */
  async function untilAllHadTheirTurn(refs: readonly AttemptRef[], owners = refs.length): Promise<void> {
    await until(
      async () => {
        if ((await queued('PD,CF,CG')) > 0) return false;
        const starts = await startsOf(refs);
        return (await queued('R', '-r')) <= owners || starts.some((each) => each > 1);
      },
      { timeoutMs: 90_000, everyMs: 300, what: 'every job to have had its turn' },
    );
  }

  const exitedWell = (handles: readonly unknown[]) =>
    handles.map(() => expect.objectContaining({ kind: 'exited', exitCode: 0 }));

  it(
    'when sbatch says that it timed out, and has taken the job',
    async () => {
      const once =
        'if mkdir /tmp/cut-once 2>/dev/null; then $real "$@" >/dev/null; echo "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation" >&2; exit 1; fi; exec $real "$@"';
      await cluster.exec('login', wrap('sbatch', once));
      const handles = await launchAll(newRefs());
      expect(await expectOnce(handles)).toEqual(exitedWell(handles));
    },
    caseMs,
  );

  it(
    'when it is handed over twice, since neither sbatch nor a look-up told of the first',
    async () => {
      const once =
        'if mkdir /tmp/cut-once 2>/dev/null; then $real "$@" >/dev/null; echo "sbatch: error: Socket timed out" >&2; exit 1; fi; exec $real "$@"';
      await cluster.exec('login', `${wrap('sbatch', once)}; ${wrap('squeue', blind)}`);
      // Slurm forgets those that ended a minute ago, so it is names that are compared.
      const submissions = async (): Promise<readonly string[]> =>
        (await cluster.exec('controller', 'squeue -h -t all -o %j | sort -u')).trim().split('\n');
      const before = await submissions();
      // One that has started by then is told by its marker, and nothing is handed over again.
      await setPartition('down');
      const refs = newRefs();
      const handles = await launchAll(refs, { holds: true });
      await cluster.exec('login', 'touch /tmp/cut-seeing');
      const added = (await submissions()).filter((name) => !before.includes(name));
      expect(added.length).toBeGreaterThanOrEqual(2);
      await setPartition('up');
      await untilAllHadTheirTurn(refs);
      await Promise.all(refs.map(async (ref) => await bench.release(ref)));
      expect(await expectOnce(handles)).toEqual(exitedWell(handles));
    },
    caseMs,
  );

  it(
    'and ends when it is cancelled, where an earlier submission than the last runs it',
    async () => {
      const once =
        'if mkdir /tmp/cut-once 2>/dev/null; then $real "$@" >/dev/null; echo "sbatch: error: Socket timed out" >&2; exit 1; fi; exec $real "$@"';
      await cluster.exec('login', `${wrap('sbatch', once)}; ${wrap('squeue', blind)}`);
      await setPartition('down');
      const [ref] = newRefs() as [AttemptRef];
      const handle = await launchPatiently(launcher, ref, { holds: true });
      const numbers = (await cluster.exec('controller', 'squeue -h -t PD -o %A | sort -n')).trim().split('\n');
      expect(numbers).toHaveLength(2);
      const [earlier, last] = numbers as [string, string];
      expect(handle.nativeId).toBe(last);
      await cluster.exec('controller', `scontrol hold ${last}`);
      await setPartition('up');
      await untilStarted([ref]);
      // What came too late finds the marker taken, and is over.
      await cluster.exec('controller', `scontrol release ${last}`);
      const stateOf = async (job: string): Promise<string> =>
        (await cluster.exec('controller', `squeue -h -t all -j ${job} -o %T`)).trim();
      await until(async () => (await stateOf(last)) === 'FAILED', { timeoutMs: 60_000, what: 'the last one to end' });
      await cluster.exec('login', 'touch /tmp/cut-seeing');
      expect(await stateOf(earlier)).toBe('RUNNING');
      expect(await launcher.cancel(ref, 30_000)).toBe('stopping');
      // By TERM, long before anything would be killed.
      expect(await expectOnce([handle])).toMatchObject([{ kind: 'cancelled', exitCode: 143 }]);
    },
    caseMs,
  );

  it(
    'when the connection is cut while sbatch works',
    async () => {
      const once =
        'if mkdir /tmp/cut-once 2>/dev/null; then $real "$@" >/dev/null; touch /tmp/cut-now; sleep 5; fi; exec $real "$@"';
      await cluster.exec('login', wrap('sbatch', once));
      const launching = launchAll(newRefs());
      launching.catch(() => undefined);
      await until(async () => (await cluster.exec('login', 'ls /tmp')).includes('cut-now'), { timeoutMs: 60_000 });
      await cluster.exec('login', 'pkill -TERM -f "[s]shd(-session)?: abaco"');
      const handles = await launching;
      expect(await expectOnce(handles)).toEqual(exitedWell(handles));
    },
    caseMs,
  );

  it(
    'when slurmctld stands still meanwhile',
    async () => {
      await cluster.exec('controller', 'pkill -STOP slurmctld');
      const launching = launchAll(newRefs());
      launching.catch(() => undefined);
      // Longer than Slurm's own patience (MessageTimeout, 10 s): sbatch has given up by then.
      await cluster.exec('controller', 'sleep 15; pkill -CONT slurmctld');
      const handles = await launching;
      expect(await expectOnce(handles)).toEqual(exitedWell(handles));
    },
    caseMs,
  );

  it(
    'when another process took over from one that stood before sbatch, and wakes when all is over',
    async () => {
      const reached = Promise.withResolvers<void>();
      const opened = Promise.withResolvers<void>();
      const frozen = await bench.open({
        checkpoint: async (point) => {
          if (point !== 'before-create') return;
          reached.resolve();
          await opened.promise;
        },
      });
      const refs = newRefs();
      const late = refs.map(async (ref) => await launchPatiently(frozen, ref, {}).catch(() => undefined));
      await reached.promise;
      const handles = await launchAll(refs);
      expect(await expectOnce(handles)).toEqual(exitedWell(handles));
      opened.resolve();
      await Promise.all(late);
      expect(await expectOnce(handles)).toEqual(exitedWell(handles));
      await frozen.close();
    },
    caseMs,
  );

  it.each([
    ['finds its job', 'exec $real "$@"', false],
    ['is told of none, and hands it over again', blind, true],
  ])(
    'when sbatch had answered, and who was told died; whoever takes over %s',
    async (_, squeue, isHandedOverAgain) => {
      let answered = 0;
      const dying = await bench.open({
        checkpoint: async (point) => {
          if (point !== 'after-create') return;
          answered += 1;
          await new Promise<never>(() => {});
        },
      });
      // A program that has started is never handed over again: its jobs wait.
      await setPartition('down');
      const refs = newRefs();
      for (const ref of refs) launchPatiently(dying, ref, { holds: true }).catch(() => undefined);
      const isTold = async (): Promise<boolean> =>
        (await queued('PD', '-r')) === count && (await queued('PD')) === answered;
      await until(isTold, { timeoutMs: 60_000, what: 'the answers' });
      await dying.close();
      const before = await queued('PD');
      await cluster.exec('login', wrap('squeue', squeue));
      const handles = await launchAll(refs, { holds: true });
      await cluster.exec('login', 'touch /tmp/cut-seeing');
      expect((await queued('PD')) > before).toBe(isHandedOverAgain);
      await setPartition('up');
      await untilAllHadTheirTurn(refs);
      await Promise.all(refs.map(async (ref) => await bench.release(ref)));
      expect(await expectOnce(handles)).toEqual(exitedWell(handles));
    },
    caseMs,
  );

  it(
    'when an administrator requeues its job',
    async () => {
      const refs = newRefs();
      const handles = await launchAll(refs, { holds: true });
      await untilStarted(refs);
      // The second start is what has to be seen to do nothing: the first was killed, so nothing runs after it.
      await Promise.all(handles.map(async ({ nativeId }) => await requeueJob(cluster, nativeId)));
      await untilAllHadTheirTurn(refs, 0);
      const ends = await expectOnce(handles);
      expect(ends.map(({ kind }) => kind)).toEqual(
        ends.map(() => expect.stringMatching(/^(?:exited|lost|killed|cancelled)$/) as string),
      );
    },
    caseMs,
  );

  it(
    'and is followed to its end also by a handle that names a job which never ran it',
    async () => {
      const refs = newRefs();
      const handles = await launchAll(refs, { holds: true });
      await untilStarted(refs);
      // Nobody knows the first, and the second is one that came too late.
      const late = (await cluster.exec('login', asAlice("sbatch --parsable -J abaco-late --wrap 'exit 113'"))).trim();
      const others = handles.map((handle, index) => ({ ...handle, nativeId: index % 2 === 0 ? '999999' : late }));
      // Longer than what is gone is waited for.
      const longMs = 3 * slurmOptions(cluster).late;
      const early = await Promise.all(others.map(async (handle) => await follow(launcher, handle, longMs)));
      expect(early.map((events) => events.at(-1)?.kind)).toEqual(refs.map(() => 'running'));
      await Promise.all(refs.map(async (ref) => await bench.release(ref)));
      const ends = await Promise.all(others.map(async (handle) => await followToEnd(launcher, handle, 120_000)));
      expect(ends).toMatchObject(refs.map(() => ({ kind: 'exited', exitCode: 0 })));
      await expectOnce(handles);
    },
    caseMs,
  );

  it(
    'and never, when it was cancelled and its job starts late',
    async () => {
      const refs = newRefs();
      await setPartition('down');
      const handles = await launchAll(refs);
      await cluster.exec('login', wrap('scancel', 'exit 0'));
      expect(await Promise.all(refs.map(async (ref) => await launcher.cancel(ref, 100)))).toEqual(
        refs.map(() => 'never-started'),
      );
      await setPartition('up');
      await untilQueueIsEmpty();
      expect(await startsOf(refs)).toEqual(refs.map(() => 0));
      const jobs = handles.map(({ nativeId }) => nativeId).join();
      const states = await cluster.exec('controller', `squeue -h -r -t all -j ${jobs} -o %T`);
      // Each has come to its node, and found the marker taken.
      expect(states.trim().split('\n')).toEqual(refs.map(() => 'FAILED'));
      const ends = await Promise.all(handles.map(async (handle) => await followToEnd(launcher, handle)));
      expect(ends.map(({ kind }) => kind)).toEqual(refs.map(() => 'cancelled'));
      await Promise.all(refs.map(async (ref) => await launcher.remove(ref)));
    },
    caseMs,
  );

  it(
    'when its node fails',
    async () => {
      const refs = newRefs();
      const handles = await launchAll(refs, { holds: true });
      await untilStarted(refs);
      const nodes = (await cluster.exec('controller', 'squeue -h -t R -o %N | sort -u')).trim().split('\n');
      await cluster.compose('kill', ...nodes);
      try {
        const ends = await expectOnce(handles);
        expect(ends).toEqual(
          refs.map(() => expect.objectContaining({ kind: 'killed', by: 'node-failure' }) as LaunchEnd),
        );
      } finally {
        await cluster.compose('up', '-d', '--wait', ...nodes);
      }
    },
    caseMs,
  );
});
