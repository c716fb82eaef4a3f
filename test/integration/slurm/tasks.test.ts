/** A program of several tasks: srun starts them, and it is decided once whether it does. */

import { describe, expect, it } from 'vitest';
import { canRunCluster } from '../../support/cluster.ts';
import { requeueJob } from '../../support/requeue-job.ts';
import { useSlurm } from '../../support/slurm-suite.ts';
import { until } from '../../support/until.ts';

const caseMs = 180_000;
const signal = new AbortController().signal;

describe.runIf(await canRunCluster())('a program of several tasks', () => {
  const slurm = useSlurm();

  /** Each rank counts itself in a file of the execution. */
  const counting = (file: string, then = '') => [
    'sh',
    '-c',
    `echo "rank $SLURM_PROCID of $SLURM_NTASKS on $SLURM_NODEID" >>/lustre/${file}; ${then}`,
  ];
  const linesOf = async (file: string): Promise<readonly string[]> =>
    (await slurm.asAlice(`cat ${file} 2>/dev/null || true`))
      .split('\n')
      .filter((line) => line !== '')
      .toSorted();

  it(
    'runs every rank once, on the nodes it asked for, under one start',
    async () => {
      const file = `ranks-${Date.now()}`;
      const handle = await slurm.launch(counting(file, 'echo "$SLURM_PROCID says $WHO $_a-b"'), {
        resources: { nodes: 2, tasks: 4 },
        environment: { WHO: 'hello from the message' },
      });
      const { end, output } = await slurm.finish(handle);
      expect(output.log.trim().split('\n').toSorted()).toEqual(
        [0, 1, 2, 3].map((rank) => `${rank} says hello from the message -b`),
      );
      expect(end).toMatchObject({ kind: 'exited', exitCode: 0 });
      const lines = await linesOf(file);
      expect(lines.map((line) => line.replace(/ on \d$/, ''))).toEqual([0, 1, 2, 3].map((rank) => `rank ${rank} of 4`));
      expect(new Set(lines.map((line) => line.slice(-1)))).toEqual(new Set(['0', '1']));
    },
    caseMs,
  );

  it(
    'ends with the worst exit code of its ranks, and takes the others along',
    async () => {
      const script = 'if [ "$SLURM_PROCID" = 1 ]; then exit 5; fi; sleep 60';
      const handle = await slurm.launch(['sh', '-c', script], { resources: { nodes: 2 } });
      const { end } = await slurm.finish(handle);
      expect(end).toMatchObject({ kind: 'exited' });
      expect(end).not.toMatchObject({ exitCode: 0 });
    },
    caseMs,
  );

  it(
    'tells all its ranks to end when it is cancelled, and lets them say good-bye',
    async () => {
      const file = `cancelled-${Date.now()}`;
      const script = `trap 'echo "rank $SLURM_PROCID was told" >>/lustre/${file}; exit 3' TERM; echo up >>/lustre/${file}.up; while :; do sleep 0.2; done`;
      const handle = await slurm.launch(['sh', '-c', script], {
        resources: { nodes: 2 },
        limits: {
          graceMs: 20_000,
          logBytes: 10_000,
          resultBytes: 1_000,
          resultTotalBytes: 10_000_000,
          resultCount: 1_000,
        },
      });
      await until(async () => (await linesOf(`${file}.up`)).length === 2, { timeoutMs: 60_000, what: 'both ranks' });
      expect(await slurm.launcher.cancel(handle, 20_000)).toBe('stopping');
      const { end } = await slurm.finish(handle);
      expect(end).toMatchObject({ kind: 'cancelled' });
      expect(await linesOf(file)).toEqual(['rank 0 was told', 'rank 1 was told']);
    },
    caseMs,
  );

  it(
    'starts no rank where another start holds the marker',
    async () => {
      const file = `requeued-${Date.now()}`;
      const handle = await slurm.launch(counting(file, `until [ -e /lustre/${file}.go ]; do sleep 0.2; done`), {
        resources: { nodes: 2 },
      });
      await until(async () => (await linesOf(file)).length === 2, { timeoutMs: 60_000, what: 'both ranks' });
      // An administrator may start a job again; its second run finds the marker taken.
      await requeueJob(slurm.cluster, handle.nativeId);
      // The second start is what has to be seen to do nothing.
      const look = `scontrol show job ${handle.nativeId}`;
      const again = await until(
        async () => {
          const said = await slurm.cluster.exec('controller', look);
          return said.includes('Restarts=1') && said.includes('JobState=FAILED') ? said : undefined;
        },
        { timeoutMs: 120_000, everyMs: 500, what: 'the second start of the job' },
      );
      // The helper's own code for a marker that another holds.
      expect(again).toContain('ExitCode=113:0');
      const { end } = await slurm.finish(handle);
      expect(end).not.toMatchObject({ exitCode: 0 });
      expect(await linesOf(file)).toHaveLength(2);
      await slurm.launcher.sweep(async (found) => found, signal);
    },
    caseMs,
  );
});
