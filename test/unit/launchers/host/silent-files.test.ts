import { PassThrough } from 'node:stream';
import type { SFTPWrapper } from 'ssh2';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RemoteFiles } from '../../../../launchers/host/remote-files.ts';
import { sftpFiles } from '../../../../launchers/host/sftp-files.ts';
import { shellFiles } from '../../../../launchers/host/shell-files.ts';
import type { SshChannel } from '../../../../launchers/host/ssh-connection.ts';

function silentSftp(): RemoteFiles {
  const never = (): void => undefined;
  return sftpFiles({ once: never, setMaxListeners: never, lstat: never, open: never } as unknown as SFTPWrapper);
}

function silentShell(): RemoteFiles {
  const channel: SshChannel = {
    stdin: new PassThrough({ highWaterMark: 1 }),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    ended: new Promise(() => undefined),
    close: () => undefined,
    kill: () => undefined,
  };
  return shellFiles({ withChannel: async (_line, use) => await use(channel) });
}

describe.each([
  ['SFTP', silentSftp],
  ['a shell', silentShell],
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
    expect(await refused).toMatchObject({ name: 'UnavailableError', code: 'host.unavailable' });
  });
});
