/** What the hosts of a cluster take from files that an operator changes while they are used. */

import { randomBytes } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPlaces } from '../../../launchers/apptainer/places.ts';
import { createCluster } from '../../../launchers/host/cluster.ts';
import type { Command } from '../../../launchers/host/command.ts';
import { createHostPool, type HostPool } from '../../../launchers/host/host-pool.ts';
import { agentAvailable, agentFiles } from '../../support/agent-files.ts';
import { apptainerDefaults } from '../../support/apptainer-bench.ts';
import { requireService } from '../../support/services.ts';
import { makeSshKey, type SshServer, sshServerAvailable, startSshServer } from '../../support/ssh-server.ts';
import { makeTestDirectory } from '../../support/test-directory.ts';
import { until } from '../../support/until.ts';

const canRun = requireService('sshd', await sshServerAvailable()) && requireService('agent', await agentAvailable());
const signal = new AbortController().signal;
const echo: Command<string> = { argv: ['echo', 'hello'], parse: ({ stdout }) => stdout };

describe.runIf(canRun)('a cluster behind SSH', () => {
  let server: SshServer;
  let pool: HostPool;
  const at = (file: string): string => join(server.directory, file);

  const options = () => ({
    ...apptainerDefaults,
    host: server.target.host,
    port: server.target.port,
    user: server.target.user,
    key_file: at('key'),
    known_hosts_file: at('known_hosts'),
    directory: at('abaco'),
    work: at('work/{username}'),
    become: false,
    keys_dir: at('keys'),
    keys_secret_file: at('secret'),
  });
  const runs = async (): Promise<boolean> =>
    (await pool.service.run(echo, signal).catch((thrown: Error) => thrown.message)) === 'hello\n';

  beforeEach(async () => {
    server = await startSshServer();
    await writeFile(at('key'), server.target.privateKey);
    await writeFile(at('known_hosts'), server.hostLine);
    await writeFile(at('secret'), randomBytes(32));
    const parts = { launcher: 'hpc', agentFiles, installationId: 'test', dataDir: server.directory };
    pool = createHostPool({ ...parts, options: options() });
  });

  afterEach(async () => {
    await pool.close();
    await server[Symbol.asyncDispose]();
  });

  it('is refused when its key has changed, and taken once the line is changed', async () => {
    expect(await pool.service.run(echo, signal)).toBe('hello\n');
    await server.dropSessions();
    const line = await server.changeHostKey();
    await until(async () => {
      const refusal = (await pool.service.run(echo, signal).catch((thrown: unknown) => thrown)) as Error;
      return /shows another key than it is known by: .* instead of ssh-ed25519 SHA256:.* \(line 1\)/.test(
        refusal.message,
      );
    });
    await writeFile(at('known_hosts'), line);
    await until(runs, { timeoutMs: 20_000, what: 'the new line to be read' });
  });

  it('is come in to with the key that is there by then, and told when there is none', async () => {
    await rm(at('key'));
    await expect(pool.service.run(echo, signal)).rejects.toMatchObject({
      name: 'UnavailableError',
      code: 'host.unavailable',
      message: expect.stringContaining('"launchers.hpc.key_file" names a file that cannot be read: ENOENT') as string,
    });
    await writeFile(at('key'), server.target.privateKey);
    await until(runs, { timeoutMs: 20_000, what: 'the key to be read' });
  });

  it('that does not take the key of the service is away for everybody', async () => {
    const tools = createCluster('hpc', options(), server.directory);
    await tools.addKey('alice', server.target.privateKey);
    await writeFile(at('key'), await makeSshKey(at('wrong')));
    for (const host of [pool.service, pool.of('alice')]) {
      await expect(host.run(echo, signal)).rejects.toMatchObject({ name: 'UnavailableError', code: 'host.denied' });
    }
  });
});

describe('this machine', () => {
  it('tries again to install what could not be installed', async () => {
    await using directory = await makeTestDirectory('places');
    const file = (name: string): string => join(directory.path, name);
    await writeFile(file('local'), 'a program');
    await writeFile(file('agent'), 'in the way');
    const places = createPlaces({
      launcher: 'here',
      options: { ...apptainerDefaults, become: true, directory: directory.path, work: '/home/{username}' },
      agentFiles: { node: file('local'), script: file('local') },
      installationId: 'test',
      dataDir: directory.path,
    });
    const alice = places.of('no-such-user');
    await expect(alice.list('/')).rejects.toThrow(`"${file('agent')}" on this machine: EEXIST`);
    await rm(file('agent'));
    // Nobody has that name, with sudo or without.
    await expect(alice.list('/')).rejects.toThrow('does not run our agent');
    await places.close();
  });
});
