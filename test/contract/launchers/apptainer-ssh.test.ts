import { afterAll, beforeAll } from 'vitest';
import { apptainerDefaults, makeApptainerBench } from '../../support/apptainer-bench.ts';
import { type Cluster, canRunCluster, startCluster } from '../../support/cluster.ts';
import { describeLauncher } from '../../support/launcher-contract.ts';
import { ensureTestImage, testImage } from '../../support/test-image.ts';

const canRun = await canRunCluster();

if (canRun) {
  let cluster: Cluster;
  let image: string;

  beforeAll(async () => {
    cluster = await startCluster(['directory', 'controller', 'login', 'registry']);
    await ensureTestImage();
    image = await cluster.push(testImage);
  }, 600_000);

  afterAll(async () => await cluster[Symbol.asyncDispose](), 120_000);

  describeLauncher('apptainer, over SSH,', async () => {
    const options = {
      ...apptainerDefaults,
      ...cluster.options,
    };
    const registries = { [cluster.registry]: { username: '', password: '', insecure: true } };
    return await makeApptainerBench({ options, image, registries, home: '/lustre/alice' });
  });
}
