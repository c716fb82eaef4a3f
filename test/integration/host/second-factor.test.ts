/** A login node that asks for a one-time code through PAM: the operator answers once, and the service goes on with it. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clusterAccess } from '../../../launchers/host/cluster-access.ts';
import type { Command } from '../../../launchers/host/command.ts';
import { createHostPool, type HostPool } from '../../../launchers/host/host-pool.ts';
import { logIn } from '../../../launchers/host/log-in.ts';
import type { OpensshLogin } from '../../../launchers/host/openssh-login.ts';
import { agentFiles } from '../../support/agent-files.ts';
import { type Cluster, canRunCluster, startCluster } from '../../support/cluster.ts';
import { oneTimeCode } from '../../support/one-time-code.ts';
import { terminal } from '../../support/openssh-login.ts';
import { slurmOptions } from '../../support/slurm-bench.ts';
import { makeTestDirectory, type TestDirectory } from '../../support/test-directory.ts';
import { until } from '../../support/until.ts';

const canRun = await canRunCluster();
const signal = new AbortController().signal;
const whoAmI: Command<string> = { argv: ['id', '-un'], parse: ({ stdout }) => stdout.trim() };

describe.runIf(canRun)('a login node with a second factor', () => {
  let cluster: Cluster;
  let directory: TestDirectory;
  let login: OpensshLogin;
  let pool: HostPool;

  beforeAll(async () => {
    cluster = await startCluster(['directory', 'controller', 'login']);
    directory = await makeTestDirectory('second-factor');
    const knownHostsFile = join(directory.path, 'known_hosts');
    await writeFile(knownHostsFile, await cluster.knownAt(2222));
    // Codes that an earlier run has used are good again.
    await cluster.exec('login', 'cut -f1-4 /etc/users.oath >/etc/users.new && cat /etc/users.new >/etc/users.oath');
    const options = {
      ...slurmOptions(cluster),
      port: 2222,
      transport: 'openssh' as const,
      known_hosts_file: knownHostsFile,
    };
    const access = clusterAccess('hpc', options, directory.path);
    if (!('login' in access)) throw new Error('It is another transport');
    ({ login } = access);
    pool = createHostPool({ launcher: 'hpc', options, dataDir: directory.path, agentFiles, installationId: 'otp' });
  }, 600_000);

  afterAll(async () => {
    await pool.close();
    await login.end(AbortSignal.timeout(10_000));
    await directory[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  }, 120_000);

  const prompt = /One-time password.*: $/s;

  it('lets nobody in by the key alone', async () => {
    const wrong = terminal(Array.from({ length: 3 }, () => [prompt, '000000'] as const));
    await expect(logIn(login, wrong)).rejects.toMatchObject({ code: 'host.needs_login' });
    expect(wrong.shown()).toContain('Permission denied');
    await expect(pool.service.run(whoAmI, signal)).rejects.toMatchObject({ code: 'host.needs_login' });
  });

  it('asks the operator for a code, and serves the account and its users from then on', async () => {
    const shown = terminal([[prompt, oneTimeCode()]]);
    await logIn(login, shown);
    await until(async () => (await pool.service.run(whoAmI, signal).catch(() => '')) === 'abaco', {
      timeoutMs: 60_000,
    });
    expect(pool.service.mode.kind).toBe('agent');
    expect(pool.service.transport).toBe('openssh');
    expect(await pool.of('alice').run(whoAmI, signal)).toBe('alice');
    const [alice, service] = await Promise.all([
      pool.of('alice').run(whoAmI, signal),
      pool.service.run(whoAmI, signal),
    ]);
    expect([alice, service]).toEqual(['alice', 'abaco']);
  });

  it('needs another code once the login has ended, and everything goes on', async () => {
    const pid = await login.check(signal);
    if (pid === undefined || pid < 2) throw new Error('Nobody is logged in');
    process.kill(pid, 'SIGKILL');
    await until(
      async () =>
        await pool
          .of('alice')
          .run(whoAmI, signal)
          .then(
            () => false,
            (thrown: { readonly code?: string }) => thrown.code === 'host.needs_login',
          ),
      { timeoutMs: 30_000, what: 'the login to be missed' },
    );
    await logIn(login, terminal([[prompt, oneTimeCode(1)]]));
    await until(
      async () =>
        (await pool
          .of('alice')
          .run(whoAmI, signal)
          .catch(() => '')) === 'alice',
      {
        timeoutMs: 60_000,
      },
    );
    expect(await pool.service.run(whoAmI, signal)).toBe('abaco');
  });
});
