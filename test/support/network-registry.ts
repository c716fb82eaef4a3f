/** A registry that asks for `registryAccount`, on the network of a test cluster. */

import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Cluster } from './cluster.ts';
import { passwordFile } from './registry-server.ts';
import { makeTestDirectory } from './test-directory.ts';
import { until } from './until.ts';

const run = promisify(execFile);

export interface NetworkRegistry extends AsyncDisposable {
  /** As the cluster and this machine call it. */
  readonly address: string;
}

export async function startNetworkRegistry(cluster: Cluster): Promise<NetworkRegistry> {
  const directory = await makeTestDirectory('private-registry');
  const config = {
    version: '0.1',
    storage: { filesystem: { rootdirectory: '/var/lib/registry' } },
    http: { addr: ':5000', secret: 'of-one-test' },
    auth: { htpasswd: { realm: 'test', path: '/private/accounts' } },
  };
  await writeFile(join(directory.path, 'accounts'), passwordFile);
  await writeFile(join(directory.path, 'config.json'), JSON.stringify(config));
  const neighbour = (await cluster.compose('ps', '-q', 'registry')).trim();
  const format = '{{range $name, $_ := .NetworkSettings.Networks}}{{$name}}{{end}}';
  const network = (await run('docker', ['inspect', '-f', format, neighbour])).stdout.trim();
  const flags = ['--rm', '--network', network, '-v', `${directory.path}:/private:ro`];
  const command = ['docker-registry', 'serve', '/private/config.json'];
  const id = (await run('docker', ['run', '-d', ...flags, 'abaco-cluster/registry', ...command])).stdout.trim();
  const inspect = ['inspect', '-f', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', id];
  const address = `${(await run('docker', inspect)).stdout.trim()}:5000`;
  const answers = async () => (await fetch(`http://${address}/v2/`)).status === 401;
  await until(answers, { timeoutMs: 30_000, everyMs: 200, what: 'the private registry' });
  return {
    address,
    [Symbol.asyncDispose]: async () => {
      await run('docker', ['rm', '-f', id]);
      await directory[Symbol.asyncDispose]();
    },
  };
}
