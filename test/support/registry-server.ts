import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Child, startChild } from './child.ts';
import { freePort } from './free-port.ts';
import { makeTestDirectory } from './test-directory.ts';
import { until } from './until.ts';

/** The one account of a registry that asks for authentication. */
export const registryAccount = { username: 'tester', password: 'registry-secret' };

/** Bcrypt of that password; Node has no bcrypt, and the registry takes nothing else. */
export const passwordFile = 'tester:$2b$04$abcdefghijklmnopqrstuu2fZl/x3nh66sAonKfBpDesaK60ZV4zW\n';

export interface RegistryOptions {
  /** Ask for `registryAccount`. */
  readonly auth?: boolean;
}

/** A real image registry of this test alone; the engine speaks plain HTTP with it, as it is on loopback. */
export interface TestRegistry extends AsyncDisposable {
  /** First part of the image names: `127.0.0.1:40123`. */
  readonly address: string;
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** On the same address, with the images it had. */
  start(): Promise<void>;
}

/** Starts Debian's `docker-registry` on a free port of loopback and waits until it answers. */
export async function startRegistry(options: RegistryOptions = {}): Promise<TestRegistry> {
  const directory = await makeTestDirectory('registry');
  const address = `127.0.0.1:${await freePort()}`;
  const configFile = join(directory.path, 'config.json');
  const accountsFile = join(directory.path, 'accounts');
  const auth = options.auth ? { htpasswd: { realm: 'test', path: accountsFile } } : undefined;
  await writeFile(accountsFile, passwordFile);
  await writeFile(configFile, renderConfig(address, join(directory.path, 'images'), auth));
  let server: Child;
  const start = async () => {
    server = await startChild('docker-registry', ['serve', configFile], { cwd: directory.path });
    await untilAnswers(server, address);
  };
  const stop = (signal: NodeJS.Signals = 'SIGTERM') => server.stop(signal);
  await start();
  return {
    address,
    start,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop('SIGKILL');
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** JSON is YAML, which is what the registry reads. */
function renderConfig(address: string, rootdirectory: string, auth: object | undefined): string {
  return JSON.stringify({
    version: '0.1',
    log: { level: 'warn' },
    storage: { filesystem: { rootdirectory }, delete: { enabled: true } },
    http: { addr: address, secret: 'of-one-test' },
    ...(auth && { auth }),
  });
}

async function untilAnswers(server: Child, address: string): Promise<void> {
  const answers = async () => {
    if (server.exited()) throw new Error(`docker-registry ended; it said:\n${server.output()}`);
    const { status } = await fetch(`http://${address}/v2/`);
    return status === 200 || status === 401;
  };
  await until(answers, { timeoutMs: 10_000, what: 'docker-registry' });
}
