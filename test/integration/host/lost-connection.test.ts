/** What is known of what was asked for when a connection goes, or stays silent: by a server that does so when it is told to. */

import { once } from 'node:events';
import { type AddressInfo, connect as connectTcp, createServer, type Socket } from 'node:net';
import ssh2, { type Connection, type Session } from 'ssh2';
import { describe, expect, it, vi } from 'vitest';
import type { Host } from '../../../launchers/host/host.ts';
import { parseKnownHosts } from '../../../launchers/host/known-hosts.ts';
import { createPlainSshHost } from '../../../launchers/host/plain-ssh-host.ts';
import type { SshLimits } from '../../../launchers/host/ssh-connection.ts';
import { createSshHost } from '../../../launchers/host/ssh-host.ts';
import { createSsh2Connector } from '../../../launchers/host/ssh2-connection.ts';
import type { SshTarget } from '../../../launchers/host/ssh2-login.ts';
import { testLimits } from '../../support/ssh-server.ts';
import { until } from '../../support/until.ts';

const signal = new AbortController().signal;

interface ToldServer extends AsyncDisposable {
  readonly target: SshTarget;
  /** How many connections stand. */
  connections(): number;
}

/** Lets everybody in. */
async function startServer(onReady: (connection: Connection) => void): Promise<ToldServer> {
  const keys = ssh2.utils.generateKeyPairSync('ed25519');
  const open = new Set<Connection>();
  const server = new ssh2.Server({ hostKeys: [keys.private] }, (connection) => {
    open.add(connection);
    connection.on('authentication', (context) => context.accept());
    connection.on('error', () => undefined);
    connection.on('close', () => void open.delete(connection));
    connection.on('ready', () => onReady(connection));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    target: {
      host: '127.0.0.1',
      port,
      user: 'alice',
      privateKey: keys.private,
      knownHosts: parseKnownHosts(`[127.0.0.1]:${port} ${keys.public}`, 'known_hosts'),
    },
    connections: () => open.size,
    async [Symbol.asyncDispose]() {
      for (const connection of open) connection.end();
      await new Promise<unknown>((resolve) => server.close(resolve));
    },
  };
}

async function connect({ target }: Pick<ToldServer, 'target'>, limits: Partial<SshLimits> = {}): Promise<Host> {
  return createPlainSshHost(await createSsh2Connector(target, { ...testLimits, ...limits }).connect(signal), []);
}

/** On the way to a server, until it is told to pass nothing on any more; its ends stay open. */
async function startProxy({ target }: ToldServer): Promise<ToldServer & { stall(): void }> {
  const open = new Set<Socket>();
  let isStalled = false;
  const proxy = createServer({ allowHalfOpen: true }, (inner) => {
    const outer = connectTcp({ port: target.port, host: target.host, allowHalfOpen: true });
    for (const [from, to] of [
      [inner, outer],
      [outer, inner],
    ] as const) {
      open.add(from);
      from.on('data', (piece) => void (isStalled || to.write(piece)));
      from.on('error', () => undefined);
      from.on('close', () => open.delete(from));
    }
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  const { port } = proxy.address() as AddressInfo;
  const { knownHosts } = target;
  return {
    target: {
      ...target,
      port,
      knownHosts: { ...knownHosts, check: (host, _, key) => knownHosts.check(host, target.port, key) },
    },
    connections: () => open.size,
    stall: () => void (isStalled = true),
    async [Symbol.asyncDispose]() {
      for (const socket of open) socket.destroy();
      await new Promise<unknown>((resolve) => proxy.close(resolve));
    },
  };
}

const submit = async (host: Host): Promise<unknown> =>
  await host.run({ argv: ['sbatch', 'job.sh'], parse: () => undefined }, signal);

const onSession = (use: (session: Session, connection: Connection) => void) => (connection: Connection) =>
  void connection.on('session', (accept) => use(accept(), connection));

type SftpRequest = 'LSTAT' | 'READLINK' | 'WRITE' | 'SYMLINK' | 'MKDIR';

/** There is one thing, `/a`, which is a link; whoever asks for `last` loses the connection. */
function sftpUntil(last: SftpRequest): (connection: Connection) => void {
  return onSession((session, connection) => {
    session.on('sftp', (accept) => {
      const sftp = accept();
      const { OK, NO_SUCH_FILE } = ssh2.utils.sftp.STATUS_CODE;
      const attrs = { mode: 0o120_777, uid: 0, gid: 0, size: 2, atime: 0, mtime: 0 };
      const stat = (id: number, path: string): void =>
        path === '/a' ? sftp.attrs(id, attrs) : sftp.status(id, NO_SUCH_FILE);
      sftp.on('LSTAT', stat);
      sftp.on('STAT', stat);
      sftp.on('OPEN', (id) => sftp.handle(id, Buffer.from('h')));
      sftp.on('WRITE', (id) => sftp.status(id, OK));
      sftp.on('FSETSTAT', (id) => sftp.status(id, OK));
      sftp.on('CLOSE', (id) => sftp.status(id, OK));
      sftp.removeAllListeners(last).on(last, () => void connection.end());
    });
  });
}

describe('a connection that goes', () => {
  it('before it is said whether a program began leaves its outcome unknown, and nothing is run after it', async () => {
    const asked: string[] = [];
    await using server = await startServer(
      onSession((session, connection) => {
        session.on('exec', (_accept, _reject, { command }) => {
          asked.push(command);
          connection.end();
        });
      }),
    );
    await using host = closing(await connect(server));
    await expect(submit(host)).rejects.toMatchObject({ name: 'UnknownOutcomeError', code: 'host.unknown_outcome' });
    await expect(submit(host)).rejects.toMatchObject({ name: 'UnavailableError', code: 'host.unavailable' });
    expect(asked).toEqual(['sbatch job.sh']);
  });

  it('while files are looked at says nothing of them', async () => {
    await using server = await startServer(sftpUntil('LSTAT'));
    await using host = closing(await connect(server));
    const unavailable = { code: 'host.unavailable', retryable: true };
    await expect(host.readMany([{ path: '/a', offset: 0, length: 1 }])).rejects.toMatchObject(unavailable);
    await expect(host.readLinks(['/a'])).rejects.toMatchObject(unavailable);
  });

  it('while a link is read does not make another thing of it', async () => {
    await using server = await startServer(sftpUntil('READLINK'));
    await using host = closing(await connect(server));
    await expect(host.readLinks(['/a'])).rejects.toMatchObject({ code: 'host.unavailable', retryable: true });
  });

  it.each<readonly [string, SftpRequest, (host: Host) => Promise<unknown>]>([
    ['a file is written', 'WRITE', async (host) => await host.put('/a', Buffer.from('x'))],
    ['a link is made', 'SYMLINK', async (host) => await host.link('/b', '/a')],
    ['a directory is made', 'MKDIR', async (host) => await host.makeDirectory('/b', 0o700)],
  ])('while %s leaves it unknown whether it was', async (_what, last, change) => {
    await using server = await startServer(sftpUntil(last));
    await using host = closing(await connect(server));
    await expect(change(host)).rejects.toMatchObject({ name: 'UnknownOutcomeError', code: 'host.unknown_outcome' });
  });

  it('after it took no call for a moment lets it go without a trace', async () => {
    await using server = await startServer(
      onSession((session) => {
        session.on('exec', (accept) => {
          const channel = accept();
          channel.exit(0);
          channel.end();
        });
      }),
    );
    const host = await connect(server);
    using exec = vi.spyOn(ssh2.Client.prototype, 'exec');
    // As it says once the other side has ended and before the socket is closed.
    exec.mockImplementationOnce(() => {
      throw new Error('Not connected');
    });
    await submit(host);
    expect(exec).toHaveBeenCalledTimes(2);
    await host.close();
    await until(() => server.connections() === 0);
  });

  it('before files can be asked for has changed none', async () => {
    await using server = await startServer(
      onSession((session, connection) => void session.on('sftp', () => void connection.end())),
    );
    await using host = closing(await connect(server));
    await expect(host.makeDirectory('/a', 0o700)).rejects.toMatchObject({
      name: 'UnavailableError',
      code: 'host.unavailable',
    });
  });
});

it('a server whose SFTP cannot sync a file is told as what it is', async () => {
  await using server = await startServer(sftpUntil('READLINK'));
  await using host = closing(await connect(server));
  await expect(host.put('/b', Buffer.from('x'))).rejects.toMatchObject({
    code: 'host.file_failed',
    message: expect.stringContaining('Server does not support this extended request') as string,
  });
});

it('a channel that stays open behind its program is closed when nobody waits for it any more', async () => {
  let open = 0;
  await using server = await startServer(
    onSession((session) => {
      open += 1;
      session.on('close', () => void (open -= 1));
      session.on('exec', (accept) => accept().exit(0));
    }),
  );
  await using host = closing(await connect(server));
  const left = host.run({ argv: ['true'], timeoutMs: 100, parse: () => undefined }, signal);
  await expect(left).rejects.toMatchObject({ code: 'host.unknown_outcome' });
  await until(() => open === 0);
});

describe('a server that does not say whether it opens a channel', () => {
  const silent = onSession((session) => void session.on('sftp', () => undefined));

  it('is left after as long as that may take', async () => {
    await using server = await startServer(silent);
    await using host = closing(await connect(server, { openMs: 100 }));
    await expect(host.list('/a')).rejects.toMatchObject({ code: 'host.unavailable', retryable: true });
    await until(() => server.connections() === 0);
  });

  it('holds nobody up who closes the host meanwhile', async () => {
    const { promise: asked, resolve } = Promise.withResolvers<void>();
    await using server = await startServer(onSession((session) => void session.on('sftp', () => resolve())));
    const host = createSshHost({
      connector: createSsh2Connector(server.target, { ...testLimits, openMs: 60_000 }),
      scratchRoots: [],
      agent: {
        files: { node: import.meta.filename, script: import.meta.filename },
        directory: '/agent',
        helloMs: 1_000,
      },
      idleMs: 60_000,
      backoff: { firstMs: 1, mostMs: 1 },
    });
    const listed = host.list('/a').catch((thrown: unknown) => thrown);
    await asked;
    await host.close();
    expect(await listed).toMatchObject({ code: 'host.unavailable' });
  });
});

it('a connection whose other side has fallen silent goes when we close it', async () => {
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  await using server = await startServer(onSession((session) => void session.on('exec', () => resolve())));
  await using proxy = await startProxy(server);
  const host = await connect(proxy, { openMs: 60_000 });
  const submitted = submit(host).catch((thrown: unknown) => thrown);
  await asked;
  proxy.stall();
  await host.close();
  expect(await submitted).toMatchObject({ code: 'host.unknown_outcome' });
});

it('a server that opens no channel has run nothing', async () => {
  await using server = await startServer((connection) => {
    connection.on('session', (_accept, reject) => reject());
  });
  await using host = closing(await connect(server));
  await expect(submit(host)).rejects.toMatchObject({
    name: 'UnavailableError',
    message: expect.stringContaining('it opens no channel') as string,
  });
});

describe('a host on the way that does not say whether it leads on', () => {
  async function startSilent(onAsked: () => void = () => undefined): Promise<ToldServer> {
    return await startServer((connection) => void connection.on('tcpip', onAsked));
  }

  it('is waited for as long as a connection may take', async () => {
    await using jump = await startSilent();
    const limits = { ...testLimits, connectMs: 200 };
    const connector = createSsh2Connector({ ...jump.target, port: 22, jump: jump.target }, limits);
    await expect(connector.connect(signal)).rejects.toMatchObject({
      name: 'UnavailableError',
      message: expect.stringContaining('through 127.0.0.1: no answer within 200 ms') as string,
    });
    await until(() => jump.connections() === 0);
  });

  it('is left when nobody waits any more', async () => {
    const caller = new AbortController();
    await using jump = await startSilent(() => caller.abort(new Error('the service stops')));
    const limits = { ...testLimits, connectMs: 60_000 };
    const connector = createSsh2Connector({ ...jump.target, port: 22, jump: jump.target }, limits);
    await expect(connector.connect(caller.signal)).rejects.toThrow('through 127.0.0.1: the service stops');
    await until(() => jump.connections() === 0);
  });
});

function closing(host: Host): Host & AsyncDisposable {
  return { ...host, [Symbol.asyncDispose]: async () => await host.close() };
}
