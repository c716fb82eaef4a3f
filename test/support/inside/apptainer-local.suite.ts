/** The launcher contract on the machine it runs on, as the service's own account there, which becomes alice. */

import { env } from 'node:process';
import { apptainerDefaults, makeApptainerBench } from '../apptainer-bench.ts';
import { describeLauncher } from '../launcher-contract.ts';

const registry = env['ABACO_TEST_REGISTRY'] ?? '';
const image = env['ABACO_TEST_IMAGE'] ?? '';

describeLauncher('apptainer, on this machine,', async () => {
  const options = { ...apptainerDefaults, directory: '/lustre/abaco', work: '/lustre/{username}/.abaco' };
  const registries = { [registry]: { username: '', password: '', insecure: true } };
  return await makeApptainerBench({ options, image, registries, home: '/lustre/alice' });
});
