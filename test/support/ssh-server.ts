/** A real `sshd` of this test alone, into which the user of the test can log in. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseKnownHosts } from '../../launchers/host/known-hosts.ts';
import type { SshLimits } from '../../launchers/host/ssh-connection.ts';
import type { SshTarget } from '../../launchers/host/ssh2-login.ts';
import { type Child, startChild } from './child.ts';
import { freePort } from './free-port.ts';
import { makeTestDirectory } from './test-directory.ts';
import { until } from './until.ts';

const run = promisify(execFile);
const sshd = '/usr/sbin/sshd';

export interface SshServer extends AsyncDisposable {
  readonly directory: string;
  /** With the right key on both sides; parts of it may be replaced by wrong ones. */
  readonly target: SshTarget;
  /** The line of known_hosts. */
  readonly hostLine: string;
  /** Makes another host key; the next connection meets it. @returns its line of known_hosts. */
  changeHostKey(): Promise<string>;
  /** Kills every session that is open, as a login node that reboots does. */
  dropSessions(): Promise<void>;
  /** How many sessions there were since the start. */
  logins(): number;
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Short enough for a test to wait for. */
export const testLimits: SshLimits = {
  connectMs: 5_000,
  authenticateMs: 10_000,
  openMs: 10_000,
  keepAliveMs: 2_000,
  channels: 8,
};

export async function sshServerAvailable(): Promise<boolean> {
  return existsSync(sshd) && existsSync('/usr/bin/ssh-keygen');
}

export async function makeSshKey(path: string, type = 'ed25519'): Promise<string> {
  await rm(path, { force: true });
  await run('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', 'test', '-f', path]);
  return await readFile(path, 'utf8');
}

/** @param more lines of sshd_config. */
export async function startSshServer(more: readonly string[] = []): Promise<SshServer> {
  const directory = await makeTestDirectory('sshd');
  const at = (name: string): string => join(directory.path, name);
  const port = await freePort();
  // Root's sshd wants the directory its package would have made.
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true });
  await makeSshKey(at('host'));
  const privateKey = await makeSshKey(at('user'));
  await writeFile(at('authorized'), await readFile(`${at('user')}.pub`));
  const settings = [
    ...more,
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${at('host')}`,
    `AuthorizedKeysFile ${at('authorized')}`,
    `PidFile ${at('pid')}`,
    'PermitRootLogin prohibit-password',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    'StrictModes no',
    'LogLevel VERBOSE',
    'Subsystem sftp internal-sftp',
  ];
  await writeFile(at('config'), `${settings.join('\n')}\n`);
  let child: Child;
  let logins = 0;
  const start = async (): Promise<void> => {
    child = await startChild(sshd, ['-D', '-e', '-f', at('config')], { cwd: directory.path });
    child.process.stderr?.on('data', (chunk: Buffer) => {
      logins += chunk.toString().split('Accepted publickey').length - 1;
    });
    await until(() => child.output().includes('Server listening') || child.exited(), { what: 'sshd to listen' });
    if (child.exited()) throw new Error(`sshd ended:\n${child.output()}`);
  };
  await start();
  const hostLine = async (): Promise<string> =>
    `[127.0.0.1]:${port} ${(await readFile(`${at('host')}.pub`, 'utf8')).split(' ').slice(0, 2).join(' ')}`;
  const line = await hostLine();
  return {
    directory: directory.path,
    hostLine: line,
    target: {
      host: '127.0.0.1',
      port,
      user: userInfo().username,
      privateKey,
      knownHosts: parseKnownHosts(line, 'known_hosts'),
    },
    logins: () => logins,
    async changeHostKey() {
      await makeSshKey(at('host'));
      await child.stop();
      await start();
      return await hostLine();
    },
    async dropSessions() {
      // Each connection is a child of sshd's, with a child of its own that is the user's.
      const children = await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8');
      for (const pid of children.trim().split(' ').filter(Boolean)) process.kill(Number(pid), 'SIGKILL');
    },
    stop: async () => await child.stop(),
    start,
    [Symbol.asyncDispose]: async () => {
      await child.stop();
      await directory[Symbol.asyncDispose]();
    },
  };
}
