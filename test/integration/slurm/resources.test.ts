/** What an actor asks for reaches Slurm, and what the cluster says of itself is known where actors are registered. */

import { describe, expect, it } from 'vitest';
import { canRunCluster } from '../../support/cluster.ts';
import { useSlurm } from '../../support/slurm-suite.ts';

const caseMs = 180_000;
const signal = new AbortController().signal;

describe.runIf(await canRunCluster())('resources on a cluster', () => {
  const slurm = useSlurm();

  it(
    'reach Slurm as they were asked for',
    async () => {
      const handle = await slurm.launch(['sh', '-c', 'sleep 2'], {
        resources: {
          nodes: 1,
          cpusPerTask: 3,
          memoryBytesPerNode: 300 * 1048576,
          gpusPerNode: 2,
          walltimeMs: 420_000,
          partition: 'debug',
          account: 'small',
          qos: 'normal',
          constraint: 'standard',
        },
      });
      const told = await slurm.cluster.exec('controller', `scontrol show job ${handle.nativeId}`);
      for (const words of [
        'NumNodes=1',
        'CPUs/Task=3',
        'MinMemoryNode=300M',
        'gres/gpu',
        'TimeLimit=00:07:00',
        'Partition=debug',
        'Account=small',
        'QOS=normal',
        'Features=standard',
      ]) {
        expect(told).toContain(words);
      }
      expect((await slurm.finish(handle)).end).toMatchObject({ kind: 'exited', exitCode: 0 });
    },
    caseMs,
  );

  it(
    'that the cluster does not have are known before anything waits, with those it has',
    async () => {
      const { limits } = slurm.spec(['true']);
      const check = (resources: object, owner = 'alice'): string | undefined =>
        slurm.launcher.check?.({ owner, resources, limits });
      expect(await slurm.launcher.probe(signal)).toMatchObject({ ok: true });
      expect(check({ partition: 'nowhere' })).toBe('"partition" is "nowhere"; this cluster has debug, normal');
      expect(check({ account: 'gold' })).toBe('"account" is "gold"; user "alice" may charge science, small');
      expect(check({ qos: 'high' })).toBe('"qos" is "high"; account "science" of user "alice" has normal');
      expect(check({ partition: 'debug', walltimeMs: 3_600_000 })).toBe(
        '"walltime" is 1h; partition "debug" gives 30m; possible in normal',
      );
      expect(check({ nodes: 3 })).toBe('"nodes" is 3; partition "normal" gives 2');
      expect(check({ gpusPerNode: 4 })).toBe('"gpus" is 4; nodes of partition "normal" have 2');
      expect(check({ constraint: 'quantum' })).toBe(
        '"constraint" names "quantum"; nodes of partition "normal" have standard',
      );
      expect(check({ nodes: 2, tasks: 4, gpusPerNode: 2, walltimeMs: 3_600_000, account: 'small' })).toBeUndefined();
      // Of somebody the accounting says nothing of, nothing is known.
      expect(check({ account: 'gold' }, 'dora')).toBeUndefined();
    },
    caseMs,
  );

  it(
    'can be tried without handing anything over',
    async () => {
      const spec = slurm.spec(['true'], { resources: { nodes: 2, walltimeMs: 300_000 } });
      const dry = await slurm.launcher.dryRun?.(spec, signal);
      expect(dry).toMatchObject({ accepted: true });
      expect(dry?.answer).toMatch(/Job \d+ to start at .* on nodes c\[1-2\] in partition normal/);
      expect(dry?.files['job.sh']).toContain('#SBATCH --nodes=2\n');
      expect(dry?.files['0.sh']).toContain(" srun '--ntasks=2' ");
      const refused = await slurm.launcher.dryRun?.(slurm.spec(['true'], { resources: { partition: 'x' } }), signal);
      expect(refused).toMatchObject({ accepted: false });
      expect(refused?.answer).toContain('Invalid partition name specified');
      expect((await slurm.cluster.exec('controller', 'squeue -h -u alice')).trim()).toBe('');
    },
    caseMs,
  );

  it(
    'end a program that runs longer than its walltime, which is told before',
    async () => {
      const launcher = await slurm.open({ margin: 55_000 });
      const script = 'trap "echo told; exit 4" TERM; while :; do sleep 0.1; done';
      const handle = await launcher.launch(
        slurm.spec(['sh', '-c', script], { resources: { walltimeMs: 60_000 } }),
        signal,
      );
      const { end, output } = await slurm.finish(handle);
      expect(end).toMatchObject({ kind: 'killed', by: 'time-limit', exitCode: 4 });
      expect(output.log).toContain('told\n');
    },
    caseMs,
  );
});
