import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, canRunCluster, startCluster } from '../../support/cluster.ts';
import { runInside } from '../../support/run-inside.ts';
import { ensureTestImage, testImage } from '../../support/test-image.ts';

const canRun = await canRunCluster();

describe.runIf(canRun)('the apptainer launcher, on this machine,', () => {
  let cluster: Cluster;
  let image: string;

  beforeAll(async () => {
    cluster = await startCluster(['directory', 'controller', 'login', 'registry']);
    await ensureTestImage();
    image = await cluster.push(testImage);
  }, 600_000);

  afterAll(async () => await cluster?.[Symbol.asyncDispose](), 120_000);

  it('keeps the contract of launchers in the image of the cluster, whose Apptainer it needs', async () => {
    const variables = { ABACO_TEST_REGISTRY: cluster.registry, ABACO_TEST_IMAGE: image };
    const results = await runInside(cluster, 'apptainer-local', variables);
    expect(results.filter(({ status }) => status !== 'passed')).toEqual([]);
    expect(results.length).toBeGreaterThan(40);
  }, 900_000);
});
