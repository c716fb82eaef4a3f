/** What a host behind SSH says of a connection that goes while it is made. */

import { PassThrough } from 'node:stream';
import { afterEach, expect, it } from 'vitest';
import type { RemoteFiles } from '../../../../launchers/host/remote-files.ts';
import type { SshChannel, SshConnection } from '../../../../launchers/host/ssh-connection.ts';
import { createSshHost, type SshHost } from '../../../../launchers/host/ssh-host.ts';
import { isInDoubt } from '../../../../src/workers/launch-doubt.ts';

const signal = new AbortController().signal;
const hosts: SshHost[] = [];

afterEach(async () => {
  await Promise.all(hosts.splice(0).map(async (host) => await host.close()));
});

/** Where all files are there, as long as the connection stands. */
const files = {
  look: async () => ({ isRegular: true, size: 1 }),
  read: async () => Buffer.from('a'),
} as unknown as RemoteFiles;

const cutChannel = (): SshChannel => ({
  stdin: new PassThrough(),
  stdout: new PassThrough(),
  stderr: new PassThrough(),
  ended: Promise.resolve(undefined),
  close: () => undefined,
  kill: () => undefined,
});

/** @param goesWith - the first call that it does not outlive. */
function open(goesWith: 'files' | 'program', becomes?: string): SshHost {
  let alive = true;
  const connection: SshConnection = {
    name: 'abaco@login',
    async withFiles(use) {
      if (goesWith !== 'files') return await use(files);
      alive = false;
      throw new Error('the connection was closed');
    },
    async withChannel(_line, use) {
      alive = false;
      return await use(cutChannel());
    },
    get alive() {
      return alive;
    },
    close: () => undefined,
  };
  return createHost(connection, becomes);
}

function createHost(connection: SshConnection, becomes?: string): SshHost {
  const connect = async (): Promise<SshConnection> => connection;
  const host = createSshHost({
    connector: { name: 'abaco@login', host: 'login', user: 'abaco', transport: 'ssh2', connect },
    scratchRoots: [],
    agent: {
      files: { node: import.meta.filename, script: import.meta.filename },
      directory: '/lustre/abaco/agent',
      helloMs: 1_000,
      ...(becomes === undefined ? {} : { becomes }),
    },
    idleMs: 60_000,
    backoff: { firstMs: 60_000, mostMs: 60_000 },
  });
  hosts.push(host);
  return host;
}

it.each([
  ['a file', 'files'],
  ['a program', 'program'],
] as const)('a connection that goes with %s of the installation has done nothing that was asked', async (_, what) => {
  for (const host of [open(what), open(what, 'alice')]) {
    const calls = [
      async () => await host.run({ argv: ['sbatch'], parse: () => undefined }, signal),
      // While nobody knocks again.
      async () => await host.list('/lustre'),
    ];
    for (const call of calls) {
      const refusal = await call().catch((thrown: unknown) => thrown);
      expect(refusal).toMatchObject({
        name: 'UnavailableError',
        code: 'host.unavailable',
        message: expect.stringMatching(/does not run our agent: .*was closed/) as string,
      });
      expect(isInDoubt(refusal as Error)).toBe(false);
    }
  }
});

it('a host that is closed while it installs the agent starts none', async () => {
  const lines: string[] = [];
  let alive = true;
  const host = createHost({
    name: 'abaco@login',
    async withFiles(use) {
      void host.close();
      return await use(files);
    },
    async withChannel(line) {
      lines.push(line);
      throw new Error('the connection was closed');
    },
    get alive() {
      return alive;
    },
    close() {
      alive = false;
    },
  });
  await expect(host.list('/lustre')).rejects.toMatchObject({ name: 'UnavailableError', code: 'host.unavailable' });
  expect({ lines: lines.filter((line) => line.includes('abaco-agent')), alive }).toEqual({ lines: [], alive: false });
});
