/** Whom a pool makes hosts for; nothing is connected to. */

import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPlaces } from '../../../../launchers/apptainer/places.ts';
import { createHostPool, type HostPool } from '../../../../launchers/host/host-pool.ts';
import type { SshHost } from '../../../../launchers/host/ssh-host.ts';
import { createPolling, pollingHost } from '../../../../launchers/slurm/polling.ts';
import { agentFiles } from '../../../support/agent-files.ts';
import { apptainerDefaults } from '../../../support/apptainer-bench.ts';
import { silentLog } from '../../../support/silent-log.ts';
import { makeTestDirectory, type TestDirectory } from '../../../support/test-directory.ts';

let directory: TestDirectory;
const at = (file: string): string => join(directory.path, file);

beforeAll(async () => {
  directory = await makeTestDirectory('host-pool');
  await writeFile(at('known_hosts'), '');
  await writeFile(at('key'), 'a key');
  await writeFile(at('secret'), randomBytes(32));
});

afterAll(async () => await directory[Symbol.asyncDispose]());

const options = () => ({
  ...apptainerDefaults,
  host: 'login',
  user: 'abaco',
  key_file: at('key'),
  known_hosts_file: at('known_hosts'),
  directory: '/lustre/abaco',
  work: '/lustre/{username}/.abaco',
});
const parts = () => ({ launcher: 'hpc', agentFiles, installationId: 'test', dataDir: directory.path });
const open = (changes: Partial<ReturnType<typeof options>> = {}): HostPool =>
  createHostPool({ ...parts(), options: { ...options(), ...changes } });

describe('a pool of hosts', () => {
  it('makes none as the account of the service for a user of its name, where others run too', () => {
    const refused = expect.objectContaining({
      name: 'ForbiddenError',
      message: expect.stringContaining('User "abaco" runs nothing on login: that account is the one of the service'),
    }) as Error;
    expect(() => open().of('abaco')).toThrow(refused);
    const keyed = { become: false, keys_dir: at('keys'), keys_secret_file: at('secret') };
    expect(() => open(keyed).of('abaco')).toThrow(refused);
    expect(() => open({ ...keyed, become: true }).of('abaco')).toThrow(refused);
    expect(open().of('alice').name).toBe('alice@login');
    expect(open(keyed).of('alice').name).toBe('alice@login');
  });

  it('makes one as that account, and no other, where it runs its own programs only', () => {
    const pool = open({ become: false });
    expect(pool.of('abaco').name).toBe('abaco@login');
    expect(() => pool.of('alice')).toThrow('the service comes in as "abaco" and may not become another');
  });

  it('lets that account ask Slurm all the same', () => {
    const pool = open();
    for (const poll_as of ['', 'abaco']) expect(pollingHost(pool, { poll_as, user: 'abaco' })).toBe(pool.service);
    expect(pollingHost(pool, { poll_as: 'alice', user: 'abaco' })).toBe(pool.of('alice'));
    expect(pollingHost(pool, { poll_as: 'owners', user: 'abaco' })).toBeUndefined();
  });

  it('lets it ask for the jobs of its builds where each user asks', async () => {
    const hostOf = (name: string): SshHost => {
      const run = async () => await Promise.reject(new Error(`${name} asks`));
      return { run } as unknown as SshHost;
    };
    const pool = { service: hostOf('service'), of: hostOf };
    const asking = { poll_as: 'owners', user: 'abaco' };
    const often = { intervalMs: 10, lookUpEveryMs: 1, backoff: { firstMs: 10, mostMs: 10 }, log: silentLog };
    const poller = createPolling(pool, asking, often);
    await expect(poller.jobsOf('abaco')).rejects.toThrow('service asks');
    await expect(poller.jobsOf('alice')).rejects.toThrow('alice asks');
    poller.close();
  });
});

describe('this machine', () => {
  const places = () => createPlaces({ ...parts(), options: { ...options(), host: '', directory: directory.path } });

  it('runs nothing by sudo as the account of the service', () => {
    expect(() => places().of(userInfo().username)).toThrow('runs nothing on this machine: that account is');
    expect(places().of('alice').name).toBe('alice@this machine');
  });
});
