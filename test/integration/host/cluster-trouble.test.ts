/** What can be wrong with a user or a login node of a real cluster, and what it then says. */

import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCluster } from '../../../launchers/host/cluster.ts';
import type { Command } from '../../../launchers/host/command.ts';
import type { HostOptions } from '../../../launchers/host/host-options.ts';
import { createHostPool, type HostPool } from '../../../launchers/host/host-pool.ts';
import { checkWrapper } from '../../../launchers/host/sudo-rule.ts';
import { agentFiles } from '../../support/agent-files.ts';
import { type Cluster, canRunCluster, startCluster } from '../../support/cluster.ts';
import { slurmOptions } from '../../support/slurm-bench.ts';
import { makeTestDirectory, type TestDirectory } from '../../support/test-directory.ts';
import { until } from '../../support/until.ts';

const canRun = await canRunCluster();
const signal = new AbortController().signal;
const whoAmI: Command<string> = { argv: ['id', '-un'], parse: ({ stdout }) => stdout.trim() };

describe.runIf(canRun)('a cluster', () => {
  let cluster: Cluster;
  let directory: TestDirectory;
  const pools: HostPool[] = [];

  function open(changes: Partial<HostOptions> = {}): HostPool {
    const options = { ...slurmOptions(cluster), ...changes };
    const pool = createHostPool({
      launcher: 'hpc',
      options,
      dataDir: directory.path,
      agentFiles,
      installationId: 'trouble',
    });
    pools.push(pool);
    return pool;
  }

  beforeAll(async () => {
    cluster = await startCluster(['directory', 'controller', 'login']);
    directory = await makeTestDirectory('trouble');
  }, 600_000);

  afterAll(async () => {
    await Promise.all(pools.map(async (pool) => await pool.close()));
    await directory[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  }, 120_000);

  it('refuses a user without an account there, and serves the others', async () => {
    const pool = open();
    await expect(pool.of('nobody-there').run(whoAmI, signal)).rejects.toMatchObject({
      name: 'ForbiddenError',
      code: 'host.denied',
      message: expect.stringMatching(/runs nothing for this user: sudo .*unknown user/s) as string,
    });
    expect(await pool.of('alice').run(whoAmI, signal)).toBe('alice');
  });

  it('runs for a user whose home directory is missing', async () => {
    await cluster.exec('login', 'mv /home/bob /home/bob.away');
    try {
      expect(await open().of('bob').run(whoAmI, signal)).toBe('bob');
    } finally {
      await cluster.exec('login', 'mv /home/bob.away /home/bob');
    }
  });

  it('says whose directory cannot be written to', async () => {
    const work = '/lustre/abaco/{username}';
    const pool = open({ work });
    await expect(pool.of('alice').makeDirectory(pool.workOf('alice'), 0o700)).rejects.toMatchObject({
      name: 'ForbiddenError',
      code: 'host.file_denied',
      message: expect.stringContaining('/lustre/abaco/alice/trouble" on alice@') as string,
    });
  });

  it('says that a file system is full, and takes the file once there is room', async () => {
    await cluster.exec('login', 'mkdir -p /lustre/full && mount -t tmpfs -o size=64k,mode=1777 none /lustre/full');
    try {
      const alice = open({ work: '/lustre/full/{username}' }).of('alice');
      const bytes = randomBytes(300_000);
      await expect(alice.put('/lustre/full/large', bytes)).rejects.toMatchObject({
        name: 'QuotaError',
        code: 'host.disk_full',
        retryable: true,
      });
      expect(await alice.list('/lustre/full')).toEqual([]);
      await cluster.exec('login', 'mount -o remount,size=10m /lustre/full');
      await alice.put('/lustre/full/large', bytes);
      expect(await alice.list('/lustre/full')).toEqual(['large']);
    } finally {
      await cluster.exec('login', 'umount /lustre/full && rmdir /lustre/full');
    }
  });

  it('that users can change is found unsafe for sudo', async () => {
    const { service } = open();
    const options = slurmOptions(cluster);
    expect(await checkWrapper(service, options, signal)).toContain("is abaco's alone to change");
    await cluster.exec('login', 'chmod g+w /lustre/abaco/agent');
    try {
      await expect(checkWrapper(service, options, signal)).rejects.toThrow('others can write to /lustre/abaco/agent');
    } finally {
      await cluster.exec('login', 'chmod g-w /lustre/abaco/agent');
    }
  });

  it('takes users with keys of their own, and says what those without one can do', async () => {
    const secret = join(directory.path, 'secret');
    await writeFile(secret, randomBytes(32), { mode: 0o600 });
    const keyed = { become: false, keys_dir: join(directory.path, 'keys'), keys_secret_file: secret };
    const tools = createCluster('hpc', { ...slurmOptions(cluster), ...keyed }, directory.path);
    await tools.addKey('alice', await cluster.exec('login', 'cat /keys/alice'));
    const pool = open(keyed);
    const who: Command<string> = { argv: ['sh', '-c', 'id -un; id -Gn'], parse: ({ stdout }) => stdout };
    expect(await pool.of('alice').run(who, signal)).toMatch(/^alice\n.*science/);
    await expect(pool.of('bob').run(whoAmI, signal)).rejects.toMatchObject({
      name: 'ForbiddenError',
      code: 'host.no_key',
      message: expect.stringContaining('"abaco clusters keys add hpc bob" adds one') as string,
    });
    // A key that is another's does not open bob's account.
    await tools.addKey('bob', await cluster.exec('login', 'cat /keys/alice'));
    await until(
      async () =>
        await pool
          .of('bob')
          .run(whoAmI, signal)
          .then(
            () => false,
            (thrown: { readonly code?: string }) => thrown.code === 'host.denied',
          ),
      { timeoutMs: 20_000 },
    );
  });

  it('whose login node restarts in the middle makes outcomes unknown, and then goes on', async () => {
    const pool = open();
    const alice = pool.of('alice');
    const mark = `/lustre/alice/mark-${randomBytes(4).toString('hex')}`;
    const argv = ['sh', '-c', `echo >${mark}; sleep 300`] as const;
    const running = alice.run({ argv, timeoutMs: 300_000, parse: () => undefined }, signal);
    running.catch(() => undefined);
    await until(async () => (await alice.list('/lustre/alice'))?.includes(mark.slice('/lustre/alice/'.length)), {
      timeoutMs: 30_000,
    });
    await cluster.compose('restart', '-t', '1', 'login');
    await expect(running).rejects.toMatchObject({ name: 'UnknownOutcomeError' });
    await until(async () => (await alice.run(whoAmI, signal).catch(() => '')) === 'alice', {
      timeoutMs: 120_000,
      everyMs: 500,
      what: 'the login node to be back',
    });
    await alice.run({ argv: ['rm', mark], parse: () => undefined }, signal);
  }, 240_000);
});
