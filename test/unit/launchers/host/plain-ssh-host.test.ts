/** How long a host without the agent may take over what is large. */

import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Host } from '../../../../launchers/host/host.ts';
import { createPlainSshHost } from '../../../../launchers/host/plain-ssh-host.ts';
import type { RemoteFiles } from '../../../../launchers/host/remote-files.ts';
import type { SshChannel, SshConnection } from '../../../../launchers/host/ssh-connection.ts';

const tookMs = 300_000;

/** Every program takes so long. */
function openSlow(): Host {
  const files: Partial<RemoteFiles> = {
    look: async () => ({ isRegular: true, size: 1 }),
    read: async () => Buffer.from('a'),
    realPath: async (path) => path,
  };
  const begin = (): SshChannel => ({
    stdin: new PassThrough(),
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    ended: new Promise((resolve) => {
      setTimeout(() => resolve({ exitCode: 0, signal: null }), tookMs);
    }),
    close: () => undefined,
    kill: () => undefined,
  });
  const connection: SshConnection = {
    name: 'abaco@login',
    withFiles: async (use) => await use(files as RemoteFiles),
    withChannel: async (_line, use) => await use(begin()),
    alive: true,
    close: () => undefined,
  };
  return createPlainSshHost(connection, ['/scratch']);
}

describe('a host without the agent', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  it.each<readonly [string, (host: Host) => Promise<unknown>]>([
    ['hash what is large', async (host) => await host.hash('/scratch/image.sif')],
    ['remove what is many', async (host) => await host.removeTree('/scratch/run')],
  ])('has the time to %s', async (_what, call) => {
    const done = call(openSlow()).then(
      () => 'done',
      (thrown: unknown) => thrown,
    );
    await vi.advanceTimersByTimeAsync(tookMs);
    expect(await done).toBe('done');
  });
});
