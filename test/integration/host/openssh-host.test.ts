/** What a login by OpenSSH adds to a host: whom it asks, whom it trusts, and what becomes of it when the login ends. */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { chmod, copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Command } from '../../../launchers/host/command.ts';
import { logIn } from '../../../launchers/host/log-in.ts';
import { createOpensshConnector } from '../../../launchers/host/openssh-connection.ts';
import type { OpensshLogin } from '../../../launchers/host/openssh-login.ts';
import { createSshHost, type SshHost } from '../../../launchers/host/ssh-host.ts';
import { agentAvailable, agentFiles } from '../../support/agent-files.ts';
import { loginTo, terminal } from '../../support/openssh-login.ts';
import { requireService } from '../../support/services.ts';
import { type SshServer, sshServerAvailable, startSshServer, testLimits } from '../../support/ssh-server.ts';
import { until } from '../../support/until.ts';

const canRun = requireService('sshd', await sshServerAvailable()) && requireService('agent', await agentAvailable());
const signal = new AbortController().signal;
const echo: Command<string> = { argv: ['echo', 'hello'], parse: ({ stdout }) => stdout };

describe.runIf(canRun)('a host behind a login of OpenSSH', () => {
  let server: SshServer;
  const logins: OpensshLogin[] = [];
  const hosts: SshHost[] = [];

  beforeEach(async () => {
    server = await startSshServer();
  });

  afterEach(async () => {
    await Promise.all(hosts.splice(0).map(async (host) => await host.close()));
    await Promise.all(logins.splice(0).map(async (login) => await login.end(AbortSignal.timeout(10_000))));
    await server[Symbol.asyncDispose]();
  });

  async function make(options: Parameters<typeof loginTo>[1] = {}, to = server): Promise<OpensshLogin> {
    const login = await loginTo(to, options);
    logins.push(login);
    return login;
  }

  function open(login: OpensshLogin, channels = 8): SshHost {
    const host = createSshHost({
      connector: createOpensshConnector(login, { ...testLimits, channels }),
      scratchRoots: [],
      agent: { files: agentFiles, directory: join(server.directory, 'agent'), helloMs: 30_000 },
      idleMs: 60_000,
      backoff: { firstMs: 10, mostMs: 50 },
    });
    hosts.push(host);
    return host;
  }

  function openPlain(login: OpensshLogin): SshHost {
    const connector = createOpensshConnector(login, testLimits);
    const host = createSshHost({ connector, scratchRoots: [], idleMs: 60_000, backoff: { firstMs: 10, mostMs: 50 } });
    hosts.push(host);
    return host;
  }

  const withKey = (keyFile: string) => {
    const { host, port, user } = server.target;
    return { target: { host, port, user, keyFile, jumps: [] } };
  };

  it('needs a login, says how, and goes on by itself once there is one', async () => {
    const login = await make();
    const host = open(login);
    await expect(host.run(echo, signal)).rejects.toMatchObject({
      name: 'UnavailableError',
      code: 'host.needs_login',
      message: expect.stringContaining('needs a login') as string,
      next: expect.stringContaining('"abaco clusters login hpc"') as string,
    });
    expect(server.logins()).toBe(0);
    await logIn(login, terminal());
    await until(async () => (await host.run(echo, signal).catch(() => '')) === 'hello\n', { timeoutMs: 30_000 });
    expect(host.mode.kind).toBe('agent');
    expect(server.logins()).toBe(1);
    expect(statSync(login.directory).mode & 0o777).toBe(0o700);
  });

  it('asks the operator in their terminal, once', async () => {
    const keyFile = join(server.directory, 'locked');
    await copyFile(join(server.directory, 'user'), keyFile);
    await chmod(keyFile, 0o600);
    execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'swordfish', '-f', keyFile]);
    const login = await make(withKey(keyFile));
    const wrong = terminal([[/Enter passphrase.*: /, 'trout']]);
    const refused = logIn(login, wrong);
    await until(() => wrong.shown().split('Enter passphrase').length > 2, { timeoutMs: 20_000 });
    // Ctrl-C, as in any terminal.
    wrong.input.write('\x03');
    await expect(refused).rejects.toMatchObject({ code: 'host.needs_login' });
    const right = terminal([[/Enter passphrase.*: /, 'swordfish']]);
    await logIn(login, right);
    expect(right.shown()).not.toContain('swordfish');
    expect(await open(login).run(echo, signal)).toBe('hello\n');
    expect(await login.check(signal)).toBeGreaterThan(1);
  });

  it('whose login is killed makes the outcome of a command unknown, and needs another', async () => {
    const login = await make();
    await logIn(login, terminal());
    const host = open(login);
    const mark = join(server.directory, 'mark');
    const running = host.run({ argv: ['sh', '-c', `echo $$ >"${mark}"; sleep 60`], parse: () => undefined }, signal);
    running.catch(() => undefined);
    await until(() => existsSync(mark) && readFileSync(mark, 'utf8') !== '', { timeoutMs: 30_000 });
    await kill(login);
    await expect(running).rejects.toMatchObject({ name: 'UnknownOutcomeError' });
    await until(async () => (await codeOf(host.run(echo, signal))) === 'host.needs_login', { timeoutMs: 30_000 });
    expect(await login.check(signal)).toBeUndefined();
    await logIn(login, terminal());
    await until(async () => (await host.run(echo, signal).catch(() => '')) === 'hello\n', { timeoutMs: 30_000 });
  });

  it('whose login is killed before a program has begun for all we know makes its outcome unknown', async () => {
    const mark = join(server.directory, 'asked');
    // It ends with its input, and so with the connection.
    await using slow = await startSshServer([`ForceCommand sh -c 'echo >${mark}; cat >/dev/null'`]);
    const login = await make({}, slow);
    await logIn(login, terminal());
    const running = openPlain(login).run(echo, signal);
    running.catch(() => undefined);
    await until(() => existsSync(mark), { timeoutMs: 30_000 });
    await kill(login);
    await expect(running).rejects.toMatchObject({ name: 'UnknownOutcomeError', code: 'host.unknown_outcome' });
  });

  it('whose login was killed before runs nothing, and needs another', async () => {
    const login = await make();
    await logIn(login, terminal());
    const host = openPlain(login);
    expect(await host.run(echo, signal)).toBe('hello\n');
    await kill(login);
    await until(async () => (await login.check(signal)) === undefined, { timeoutMs: 30_000 });
    await expect(host.run(echo, signal)).rejects.toMatchObject({ name: 'UnavailableError', code: 'host.needs_login' });
  });

  it('is left by its login when nobody has used that for a while', async () => {
    const login = await make({ idleMs: 1_000 });
    await logIn(login, terminal());
    const gone = async (): Promise<boolean> => (await login.check(signal)) === undefined;
    expect(await until(gone, { timeoutMs: 30_000, everyMs: 2_000 })).toBe(true);
  });

  it('is logged out of', async () => {
    const login = await make();
    await logIn(login, terminal());
    expect(await login.end(signal)).toBe(true);
    expect(await login.end(signal)).toBe(false);
    expect(await codeOf(open(login).run(echo, signal))).toBe('host.needs_login');
  });

  it.each(['unknown', 'changed'])(
    'is not logged in to where its key is %s, whatever the file of the site says',
    async (which) => {
      const siteFile = join(server.directory, 'ssh_config');
      await writeFile(siteFile, 'StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\n');
      const login = await make({ siteFile });
      if (which === 'changed') await server.changeHostKey();
      else await writeFile(join(server.directory, 'known_hosts'), '');
      const shown = terminal();
      await expect(logIn(login, shown)).rejects.toMatchObject({ code: 'host.needs_login' });
      expect(shown.shown()).toContain('Host key verification failed');
    },
  );

  it('takes from the file of the site what is not ours to say', async () => {
    const siteFile = join(server.directory, 'ssh_config');
    await writeFile(
      siteFile,
      `Host 127.0.0.1\n  IdentityFile ${join(server.directory, 'user')}\n  IdentitiesOnly yes\n`,
    );
    const login = await make({ ...withKey(''), siteFile });
    await logIn(login, terminal());
    expect(await open(login).run(echo, signal)).toBe('hello\n');
  });

  it('is reached through others, whose keys have to be known too', async () => {
    await using jump = await startSshServer();
    const { host, port, user } = jump.target;
    const keyFile = join(jump.directory, 'user');
    const target = { ...withKey(join(server.directory, 'user')).target, jumps: [{ host, port, user, keyFile }] };
    const login = await make({ target });
    await expect(logIn(login, terminal())).rejects.toThrow('abaco-jump-1');
    expect(jump.logins()).toBe(0);
    await writeFile(join(server.directory, 'known_hosts'), `${server.hostLine}\n${jump.hostLine}\n`);
    await logIn(login, terminal());
    expect(await open(login).run(echo, signal)).toBe('hello\n');
    expect(jump.logins()).toBe(1);
  });

  it('that has no channel left for another user says so, and runs on for those it serves', async () => {
    const login = await make();
    await logIn(login, terminal());
    const connector = createOpensshConnector(login, { ...testLimits, channels: 2 });
    const agent = { files: agentFiles, directory: join(server.directory, 'agent'), helloMs: 30_000 };
    const [first, second] = [0, 1].map(() => {
      const host = createSshHost({
        connector,
        agent,
        scratchRoots: [],
        idleMs: 60_000,
        backoff: { firstMs: 10, mostMs: 50 },
      });
      hosts.push(host);
      return host;
    });
    expect(await first?.run(echo, signal)).toBe('hello\n');
    expect(await second?.run(echo, signal)).toBe('hello\n');
    expect(second?.mode).toMatchObject({ kind: 'plain', why: expect.stringContaining('no channel left') as string });
    expect(await first?.run(echo, signal)).toBe('hello\n');
  });
});

async function kill(login: OpensshLogin): Promise<void> {
  const pid = await login.check(signal);
  if (pid === undefined || pid < 2) throw new Error('Nobody is logged in');
  process.kill(pid, 'SIGKILL');
}

async function codeOf(call: Promise<unknown>): Promise<string | undefined> {
  return await call.then(
    () => undefined,
    (thrown: { readonly code?: string }) => thrown.code,
  );
}
