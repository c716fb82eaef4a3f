import { afterAll, describe } from 'vitest';
import { canRunDocker, makeDockerBench, removePreparedImages } from '../../support/docker-bench.ts';
import { describeLauncher } from '../../support/launcher-contract.ts';

const canRun = await canRunDocker();

describe.runIf(canRun)('on the engine of this machine', () => {
  afterAll(removePreparedImages);
  describeLauncher('docker', makeDockerBench);
});
