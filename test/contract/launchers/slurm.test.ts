import { afterAll, beforeAll } from 'vitest';
import { agentAvailable } from '../../support/agent-files.ts';
import { type Cluster, composeAvailable, startCluster } from '../../support/cluster.ts';
import { canRunDocker } from '../../support/docker-bench.ts';
import { describeLauncher } from '../../support/launcher-contract.ts';
import { requireService } from '../../support/services.ts';
import { makeSlurmBench } from '../../support/slurm-bench.ts';
import { ensureTestImage, testImage } from '../../support/test-image.ts';

const canRun =
  (await canRunDocker()) &&
  requireService('compose', await composeAvailable()) &&
  requireService('agent', await agentAvailable());

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
