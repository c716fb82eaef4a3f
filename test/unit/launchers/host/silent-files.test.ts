import { PassThrough } from 'node:stream';
import type { SFTPWrapper } from 'ssh2';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RemoteFiles } from '../../../../launchers/host/remote-files.ts';
import { sftpFiles } from '../../../../launchers/host/sftp-files.ts';
import { shellFiles } from '../../../../launchers/host/shell-files.ts';
import type { ChannelEnd, SshChannel } from '../../../../launchers/host/ssh-connection.ts';

function silentSftp(): RemoteFiles {
  const never = (): void => undefined;
  return sftpFiles('login', { once: never, lstat: never, open: never } as unknown as SFTPWrapper);
}

/** @param end - of the program behind each call; it never ends where there is none. */
function silentShell(end: Promise<ChannelEnd | undefined> = new Promise(() => undefined)): RemoteFiles {
  const channel: SshChannel = {
    stdin: new PassThrough({ highWaterMark: 1 }),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    ended: end,
    close: () => undefined,
    kill: () => undefined,
  };
  return shellFiles({ name: 'login', withChannel: async (_line, use) => await use(channel) });
}

describe.each([
  ['SFTP', silentSftp],
  ['a shell', () => silentShell()],
])('calls on files by %s', (_name, open) => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  it.each<readonly [string, (files: RemoteFiles) => Promise<unknown>]>([
    ['look', async (files) => await files.look('/a', { followLinks: false })],
    ['read', async (files) => await files.read('/a', 0, 10)],
    ['write', async (files) => await files.write('/a', Buffer.from('more than it takes'), 0o600)],
  ])('are given up when nobody answers: %s', async (_verb, call) => {
    const refused = call(open()).catch((thrown: unknown) => thrown);
    await vi.advanceTimersByTimeAsync(720_000);
    expect(await refused).toMatchObject({ name: 'CutOffError', code: 'host.unavailable' });
  });
});

describe('a call on files by a shell', () => {
  it('is cut off with its channel, which says nothing of the file', async () => {
    const files = silentShell(Promise.resolve(undefined));
    await expect(files.look('/a')).rejects.toMatchObject({ name: 'CutOffError', code: 'host.unavailable' });
    await expect(files.target('/a')).rejects.toMatchObject({ name: 'CutOffError', code: 'host.unavailable' });
  });

  it.each([
    { exitCode: null, signal: 'SIGKILL' },
    { exitCode: 127, signal: null },
  ])('takes $exitCode for no word on where a link leads', async (end) => {
    await expect(silentShell(Promise.resolve(end)).target('/a')).rejects.toThrow('readlink ended with');
  });
});
