/** The cluster of `docker-compose.slurm.yml`, without the service: real Slurm, sshd, OpenLDAP, Apptainer, a registry. */

import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { promisify } from 'node:util';
import { DockerComposeEnvironment } from 'testcontainers';
import { agentAvailable } from './agent-files.ts';
import { canRunDocker } from './docker-bench.ts';
import { packageRoot } from './package-root.ts';
import { requireService } from './services.ts';
import { makeTestDirectory } from './test-directory.ts';

const run = promisify(execFile);

export interface Cluster extends AsyncDisposable {
  /** Address of the login node, and of the registry as both the cluster and this machine call it. */
  readonly login: string;
  readonly registry: string;
  /** Address of the directory, and the file with the certificate of its authority. */
  readonly directory: { readonly url: string; readonly caFile: string };
  /** File with the private key of the service account, and the known hosts. */
  readonly keyFile: string;
  readonly knownHostsFile: string;
  /** The settings by which a launcher reaches the login node as the service account, with the places it keeps its files. */
  readonly options: {
    readonly host: string;
    readonly user: string;
    readonly key_file: string;
    readonly known_hosts_file: string;
    readonly directory: string;
    readonly work: string;
  };
  /** The line of known_hosts for another port of the login node. */
  knownAt(port: number): Promise<string>;
  /** Runs a shell line as root in one of its machines. */
  exec(machine: string, line: string): Promise<string>;
  compose(...args: readonly string[]): Promise<string>;
  /** Puts an image of this machine's engine into the registry. @returns its name there. */
  push(image: string): Promise<string>;
}

const all = ['directory', 'controller', 'login', 'c1', 'c2', 'registry'];
const file = join(packageRoot, 'docker-compose.slurm.yml');

/** Whether tests of the cluster can run here; what is missing is said. */
export async function canRunCluster(): Promise<boolean> {
  const has = [
    await canRunDocker(),
    requireService('compose', await composeAvailable()),
    requireService('agent', await agentAvailable()),
  ];
  return has.every(Boolean);
}

async function composeAvailable(): Promise<boolean> {
  return await run('docker', ['compose', 'version']).then(
    () => true,
    () => false,
  );
}

/**
 * Brings it, or some of its machines, up, images included. Each caller has one of its own; with `ABACO_TEST_KEEP_CLUSTER`,
 * which names a project of Compose, all use that one and leave it standing.
 */
export async function startCluster(machines: readonly string[] = all): Promise<Cluster> {
  const kept = process.env['ABACO_TEST_KEEP_CLUSTER'];
  const project = kept ?? `abaco-test-${randomUUID().slice(0, 8)}`;
  const compose = async (...args: readonly string[]): Promise<string> => {
    const options = { maxBuffer: 50_000_000 };
    return (await run('docker', ['compose', '-p', project, '-f', file, ...args], options)).stdout;
  };
  const environment = await new DockerComposeEnvironment(packageRoot, basename(file))
    .withProjectName(project)
    .withBuild()
    // Each health check of the file is waited for. What is left over is ours to find, not a reaper's.
    .withAutoCleanup(false)
    .withStartupTimeout(240_000)
    .up([...machines])
    .catch(async (error: unknown) => {
      const told = `${await compose('ps', '-a')}\n${await compose('logs', '--no-color', '--tail', '20')}`;
      if (kept === undefined) await compose('down', '-v', '-t', '1');
      throw new Error(`the cluster did not come up; what its machines said:\n${told}`, { cause: error });
    });
  const exec = async (machine: string, line: string): Promise<string> => {
    const { exitCode, stdout, stderr } = await environment.getContainer(`${machine}-1`).exec(['sh', '-c', line]);
    if (exitCode !== 0) throw new Error(`${machine}: "${line}" ended with ${exitCode}: ${stderr || stdout}`);
    return stdout;
  };
  const addressOf = async (machine: string): Promise<string> =>
    (await exec(machine, 'hostname -i')).trim().split(' ')[0] ?? '';
  const [login = '', registryAddress = '', directoryAddress = ''] = await Promise.all(
    ['login', 'registry', 'directory'].map(async (machine) =>
      machines.includes(machine) ? await addressOf(machine) : '',
    ),
  );
  const directory = await makeTestDirectory('cluster');
  const keys = join(directory.path, 'keys');
  await mkdir(keys, { mode: 0o700 });
  const knownHostsFile = join(keys, 'known_hosts');
  if (login !== '') {
    await writeFile(join(keys, 'abaco'), await exec('login', 'cat /keys/abaco'), { mode: 0o600 });
    await writeFile(knownHostsFile, (await exec('login', 'cat /keys/known_hosts')).replace(/^\S+/, login));
  }
  const directoryCa = join(keys, 'ca.pem');
  if (directoryAddress !== '') await writeFile(directoryCa, await exec('directory', 'cat /tls/ca.pem'));
  const registry = `${registryAddress}:5000`;
  return {
    login,
    registry,
    directory: { url: `ldap://${directoryAddress}`, caFile: directoryCa },
    keyFile: join(keys, 'abaco'),
    knownHostsFile,
    options: {
      host: login,
      user: 'abaco',
      key_file: join(keys, 'abaco'),
      known_hosts_file: knownHostsFile,
      directory: '/lustre/abaco',
      work: '/lustre/{username}/.abaco',
    },
    knownAt: async (port) => (await exec('login', 'cat /keys/known_hosts')).replace(/^\S+/, `[${login}]:${port}`),
    exec,
    compose,
    async push(image) {
      const port = (await compose('port', 'registry', '5000')).trim().split(':').at(-1) ?? '';
      const name = image.replace(/^.*\//, '');
      await run('docker', ['tag', image, `127.0.0.1:${port}/${name}`]);
      await run('docker', ['push', '-q', `127.0.0.1:${port}/${name}`]);
      await run('docker', ['rmi', `127.0.0.1:${port}/${name}`]);
      return `${registry}/${name}`;
    },
    [Symbol.asyncDispose]: async () => {
      await directory[Symbol.asyncDispose]();
      if (kept === undefined) await environment.down({ removeVolumes: true, timeout: 1_000 });
    },
  };
}
