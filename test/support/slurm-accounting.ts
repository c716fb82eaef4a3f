/** The accounting of a test cluster, taken away and given back. */

import type { Cluster } from './cluster.ts';

// Nobody there waits for it, so its process table entry stays: whether it answers is what counts.
const answers = 'sacctmgr -n show cluster >/dev/null 2>&1';

export async function stopAccounting(cluster: Cluster): Promise<void> {
  await cluster.exec('controller', `pkill -x slurmdbd; while ${answers}; do sleep 0.1; done`);
}

/** Nothing is done where it answers. */
export async function startAccounting(cluster: Cluster): Promise<void> {
  const start = 'setpriv --reuid slurm --regid slurm --init-groups slurmdbd';
  await cluster.exec('controller', `${answers} || ${start}; until ${answers}; do sleep 0.2; done`);
}
