/** What Slurm refuses: what is the user's fault ends with Slurm's words, what passes waits, and nothing is left of either. */

import { describe, expect, it } from 'vitest';
import { InvalidError, QuotaError } from '../../../src/errors.ts';
import type { Resources } from '../../../src/launcher/resources.ts';
import { canRunCluster } from '../../support/cluster.ts';
import { useSlurm } from '../../support/slurm-suite.ts';
import { until } from '../../support/until.ts';

const caseMs = 180_000;

describe.runIf(await canRunCluster())('a job that Slurm does not take', () => {
  const slurm = useSlurm();
  const refusalOf = async (resources: Resources): Promise<unknown> =>
    await slurm.launch(['sh', '-c', 'true'], { resources }).catch((thrown: unknown) => thrown);

  it.each([
    [{ partition: 'nowhere' }, 'Invalid partition name specified'],
    [{ account: 'nobody' }, 'Invalid account or account/partition combination specified'],
    [{ qos: 'gold' }, 'Invalid qos specification'],
    [{ walltimeMs: 2 * 86_400_000 }, 'Requested time limit is invalid'],
    [{ reservation: 'none' }, 'Requested reservation is invalid'],
    [{ constraint: 'quantum' }, 'Invalid feature specification'],
    [{ nodes: 5 }, 'Node count specification invalid'],
    [{ cpusPerTask: 64 }, 'CPU count per node can not be satisfied'],
  ])(
    'for %j is refused for ever, in its own words',
    async (resources, words) => {
      const refusal = await refusalOf(resources);
      expect(refusal).toBeInstanceOf(InvalidError);
      expect((refusal as Error).message).toContain(`Slurm refuses the job: `);
      expect((refusal as Error).message).toContain(words);
    },
    caseMs,
  );

  it(
    'since its partition is down for a while waits',
    async () => {
      await slurm.cluster.exec('controller', 'scontrol update partitionname=debug state=inactive');
      try {
        const refusal = await refusalOf({ partition: 'debug' });
        expect(refusal).toBeInstanceOf(QuotaError);
        expect((refusal as Error).message).toContain('Required partition not available');
      } finally {
        await slurm.cluster.exec('controller', 'scontrol update partitionname=debug state=up');
      }
    },
    caseMs,
  );

  it(
    'since its account has as many as it may waits, and the accounts beside it do not',
    async () => {
      const small = { resources: { account: 'small' } } as const;
      const held = ['sh', '-c', 'until [ -e /lustre/go ]; do sleep 0.2; done'];
      await slurm.asAlice('rm -f go');
      const running = [await slurm.launch(held, small), await slurm.launch(held, { ...small, actorId: 'a2' })];
      const third = slurm.spec(['sh', '-c', 'true'], small);
      const signal = new AbortController().signal;
      await expect(slurm.launcher.launch(third, signal)).rejects.toThrow('AssocMaxSubmitJobLimit');
      // Whoever asks again at once is told the same, and Slurm is not asked.
      await expect(slurm.launcher.launch(third, signal)).rejects.toThrow(QuotaError);
      expect((await slurm.finish(await slurm.launch(['sh', '-c', 'true']))).end).toMatchObject({
        kind: 'exited',
        exitCode: 0,
      });
      await slurm.asAlice('touch go');
      for (const handle of running) expect((await slurm.finish(handle)).end).toMatchObject({ kind: 'exited' });
      const handle = await until(async () => await slurm.launcher.launch(third, signal).catch(() => undefined), {
        timeoutMs: 60_000,
        everyMs: 200,
        what: 'the third to be taken',
      });
      expect((await slurm.finish(handle)).end).toMatchObject({ kind: 'exited', exitCode: 0 });
    },
    caseMs,
  );

  it(
    'as a whole is handed over in parts that its account takes',
    async () => {
      const signal = new AbortController().signal;
      const specs = Array.from({ length: 5 }, () =>
        slurm.spec(['sh', '-c', 'true'], { resources: { account: 'small' } }),
      );
      const ends = await Promise.all(
        specs.map(async (spec) => {
          const handle = await until(async () => await slurm.launcher.launch(spec, signal).catch(() => undefined), {
            timeoutMs: 150_000,
            everyMs: 300,
            what: 'one of five to be taken',
          });
          return (await slurm.finish(handle)).end;
        }),
      );
      expect(ends.map(({ kind }) => kind)).toEqual(specs.map(() => 'exited'));
    },
    caseMs,
  );
});
