import { afterAll, beforeAll } from 'vitest';
import { type Cluster, canRunCluster, startCluster } from '../../support/cluster.ts';
import { describeLauncher } from '../../support/launcher-contract.ts';
import { makeSlurmBench } from '../../support/slurm-bench.ts';
import { ensureTestImage, testImage } from '../../support/test-image.ts';

const canRun = await canRunCluster();

if (canRun) {
  let cluster: Cluster;
  let image: string;

  beforeAll(async () => {
    cluster = await startCluster();
    await ensureTestImage();
    image = await cluster.push(testImage);
  }, 600_000);

  afterAll(async () => await cluster[Symbol.asyncDispose](), 120_000);

  describeLauncher('slurm', async () => await makeSlurmBench(cluster, image));
}
