/** The installation of docker-compose.slurm.yml, from outside: its service, its registry, and what its machines say. */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { packagePath } from '../../src/lib/package-root.ts';
import type { Stage } from './stage.ts';

const run = promisify(execFile);

export interface DemoCluster {
  readonly url: string;
  /** Of the user alice. */
  readonly token: string;
  /** Runs a line on the login node. */
  login(line: string): Promise<string>;
}

const sampleImages = ['word-count', 'script'];

export async function openCluster(stage: Stage): Promise<DemoCluster> {
  const compose = async (...args: readonly string[]): Promise<string> => {
    const { stdout } = await run('docker', ['compose', '-f', packagePath('docker-compose.slurm.yml'), ...args]);
    return stdout.trimEnd();
  };
  const registry = await compose('port', 'registry', '5000');
  for (const image of sampleImages) {
    await run('docker', ['tag', `abaco/${image}`, `${registry}/${image}`]);
    await run('docker', ['push', '-q', `${registry}/${image}`]);
    await run('docker', ['rmi', `${registry}/${image}`]);
  }
  stage.answer(`in the registry of the site: ${sampleImages.map((image) => `registry:5000/${image}`).join(', ')}`);
  const mint = ['abaco', 'token', 'mint', '--user', 'alice', '--config', '/etc/abaco/site.toml'];
  stage.command(`TOKEN=$(docker compose -f docker-compose.slurm.yml exec -T api ${mint.join(' ')})`);
  const token = await compose('exec', '-T', 'api', ...mint);
  stage.answer('alice is somebody now: a user of the directory, uid 10001');
  return {
    url: `http://${await compose('port', 'api', '8000')}`,
    token,
    login: async (line) => await compose('exec', '-T', 'login', 'sh', '-c', line),
  };
}
