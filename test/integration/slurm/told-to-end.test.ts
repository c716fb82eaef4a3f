/** What a program hears of a cancel: once that it is to end, however many of its processes Slurm tells. */

import { describe, expect, it } from 'vitest';
import { canRunCluster } from '../../support/cluster.ts';
import { useSlurm } from '../../support/slurm-suite.ts';
import { until } from '../../support/until.ts';

const limits = {
  graceMs: 20_000,
  logBytes: 10_000,
  resultBytes: 1_000,
  resultTotalBytes: 10_000_000,
  resultCount: 1_000,
};

/** Counts what it hears, and listens for a while after the first: a second would come within milliseconds. */
const counting = (file: string) => [
  'sh',
  '-c',
  `told=0; trap 'told=$((told + 1))' TERM; echo up >>/lustre/${file}
until [ $told -gt 0 ]; do :; done
left=300000; while [ $left -gt 0 ]; do left=$((left - 1)); done
echo "told $told"; exit 3`,
];

describe.runIf(await canRunCluster())('a program that is cancelled', () => {
  const slurm = useSlurm();

  it.each([
    ['alone', {}, 1, 3],
    ['a task on each of two nodes', { nodes: 2 }, 2, 143],
    ['several tasks on a node', { nodes: 2, tasks: 4 }, 4, 143],
  ])(
    'is told once to end, and may say good-bye: %s',
    async (_, resources, tasks, exitCode) => {
      const file = `told-${Date.now()}`;
      const handle = await slurm.launch(counting(file), { resources, limits });
      const areUp = async () => Number(await slurm.asAlice(`grep -c up ${file} || true`)) === tasks;
      await until(areUp, { timeoutMs: 60_000, what: 'all tasks' });
      expect(await slurm.launcher.cancel(handle, limits.graceMs)).toBe('stopping');
      const { end, output } = await slurm.finish(handle);
      expect(end).toMatchObject({ kind: 'cancelled', exitCode });
      expect(output.log.match(/told \d+/g)).toEqual(Array.from({ length: tasks }, () => 'told 1'));
    },
    180_000,
  );

  it('is told too where its tasks are only being started', async () => {
    const handle = await slurm.launch(['sh', '-c', 'while :; do sleep 1; done'], { resources: { nodes: 2 }, limits });
    const marker = `.abaco/${slurm.installationId}/ledger/${handle.executionId}-1/entry/start`;
    await slurm.asAlice(`n=0; until [ -L ${marker} ] || [ $n -gt 1500 ]; do sleep 0.02; n=$((n + 1)); done`);
    expect(await slurm.launcher.cancel(handle, limits.graceMs)).toBe('stopping');
    const { end } = await slurm.finish(handle);
    // Killed at the end of the grace time it would be 137.
    expect(end).toMatchObject({ kind: 'cancelled', exitCode: 143 });
  }, 180_000);
});
