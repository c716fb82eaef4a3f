/** A job that Slurm starts a second time. */

import type { Cluster } from './cluster.ts';
import { until } from './until.ts';

/**
 * As an administrator may start it again. Slurm would let it wait for two minutes, so it is given another time once it is in
 * the queue: while it is still ending it would take that and forget it. Not the next second, in which a node may refuse it
 * as the one that it has just killed.
 */
export async function requeueJob(cluster: Cluster, id: string): Promise<void> {
  await cluster.exec('controller', `scontrol update jobid=${id} requeue=1 && scontrol requeue ${id}`);
  const isPending = `scontrol show job ${id} | grep -q JobState=PENDING`;
  await until(
    async () =>
      await cluster.exec('controller', `${isPending} && scontrol update jobid=${id} starttime=now+2`).then(
        () => true,
        () => false,
      ),
    { timeoutMs: 60_000, everyMs: 300, what: 'the requeued job' },
  );
}
