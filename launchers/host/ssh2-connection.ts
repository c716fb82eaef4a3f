/** SSH by our own means, in this process: one authenticated connection, and a bounded number of channels on it. */

import { connect as connectTcp, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import pLimit from 'p-limit';
import { Client, type ClientChannel, type ConnectConfig, type SFTPWrapper } from 'ssh2';
import { asError, ServiceError, UnavailableError } from '../../src/errors.ts';
import { pause, pauseMs } from '../../src/lib/backoff.ts';
import type { KnownHosts } from './known-hosts.ts';
import type { RemoteFiles } from './remote-files.ts';
import { sftpFiles, withSystemCode } from './sftp-files.ts';
import {
  type ChannelEnd,
  type SshChannel,
  type SshConnection,
  type SshConnector,
  type SshLimits,
  unavailable,
} from './ssh-connection.ts';

export interface SshTarget {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** In OpenSSH's or PEM form. */
  readonly privateKey: string;
  readonly knownHosts: KnownHosts;
  /** Through which the host is reached, where it is not reached directly. */
  readonly jump?: SshTarget;
}

export function createSsh2Connector(target: SshTarget, limits: SshLimits): SshConnector {
  const { host, user } = target;
  return {
    name: nameOf(target),
    host,
    user,
    transport: 'ssh2',
    connect: async (signal) => await connectSsh2(target, limits, signal),
  };
}

const nameOf = ({ user, host }: SshTarget): string => `${user}@${host}`;

async function connectSsh2(target: SshTarget, limits: SshLimits, signal: AbortSignal): Promise<SshConnection> {
  const { client, end } = await logIn(target, limits, signal);
  return createConnection(nameOf(target), client, limits, end);
}

interface LoggedIn {
  readonly client: Client;
  /** Ends those it leads through as well. */
  readonly end: () => void;
}

async function logIn(target: SshTarget, limits: SshLimits, signal: AbortSignal): Promise<LoggedIn> {
  const way = await openWay(target, limits, signal);
  const client = new Client();
  try {
    await authenticate(client, way.stream, target, limits, signal);
    return { client, end: way.end };
  } catch (thrown) {
    client.destroy();
    way.stream.destroy();
    way.end();
    throw thrown;
  }
}

/** A stream to the host's SSH server, directly or out of the one before it. */
async function openWay(
  target: SshTarget,
  limits: SshLimits,
  signal: AbortSignal,
): Promise<{ readonly stream: Duplex; readonly end: () => void }> {
  const { jump } = target;
  if (!jump) return { stream: await openSocket(target, limits.connectMs, signal), end: () => undefined };
  const { client, end } = await logIn(jump, limits, signal);
  const endAll = (): void => {
    client.end();
    end();
  };
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
  client.forwardOut('127.0.0.1', 0, target.host, target.port, (error, stream) =>
    error ? reject(error) : resolve(stream),
  );
  try {
    return { stream: await promise, end: endAll };
  } catch (thrown) {
    endAll();
    throw unavailable(nameOf(target), `through ${jump.host}: ${asError(thrown).message}`, thrown);
  }
}

type OpenChannel<C> = (done: (error: Error | undefined, channel: C) => void) => void;

interface Opened<C, T> {
  readonly channel: C;
  readonly result: Promise<T>;
  /** Aborts when the other side has closed it as well. */
  readonly gone: AbortSignal;
}

const openTries = 6;
const openPause = { firstMs: 20, mostMs: 500 };

/** How long a turn waits for its channel to be closed by the other side as well. */
const lingerMs = 1_000;

function createConnection(name: string, client: Client, limits: SshLimits, onEnd: () => void): SshConnection {
  const turn = pLimit(limits.channels);
  const listeners = new Set<(reason: string) => void>();
  let closed: string | undefined;
  let trouble = 'the connection was closed';
  client.on('error', (error) => {
    trouble = error.message;
  });
  client.on('close', () => {
    closed ??= trouble;
    onEnd();
    for (const listener of listeners) listener(closed);
    listeners.clear();
  });

  /**
   * Settles when the channel is open, or with the connection. `use` begins in the same turn of the event loop: what a
   * short program has to say may come in the packet that opens its channel.
   */
  async function openOnce<C, T>(open: OpenChannel<C>, use: (channel: C) => Promise<T>): Promise<Opened<C, T>> {
    const { promise, resolve, reject } = Promise.withResolvers<Opened<C, T>>();
    const lost = (reason: string): void => reject(unavailable(name, reason));
    listeners.add(lost);
    open((error, channel) => {
      if (error) return reject(error);
      const gone = new AbortController();
      (channel as ClientChannel).once('close', () => gone.abort());
      resolve({ channel, result: use(channel), gone: gone.signal });
    });
    const opened = await promise.finally(() => listeners.delete(lost));
    // Waited for by the caller; a rejection before that is not unhandled.
    opened.result.catch(() => undefined);
    return opened;
  }

  /** A server that has just closed a channel may count it for a moment longer; what it refuses, it has not begun. */
  async function openChannel<C, T>(open: OpenChannel<C>, use: (channel: C) => Promise<T>): Promise<Opened<C, T>> {
    for (let count = 0; ; count += 1) {
      if (closed !== undefined) throw unavailable(name, closed);
      try {
        return await openOnce(open, use);
      } catch (thrown) {
        if (thrown instanceof ServiceError) throw thrown;
        if (count === openTries) throw unavailable(name, `it opens no channel: ${asError(thrown).message}`, thrown);
        await pause(pauseMs(count, openPause));
      }
    }
  }

  async function withTurn<C extends ClientChannel | SFTPWrapper, T>(
    open: OpenChannel<C>,
    use: (channel: C) => Promise<T>,
  ): Promise<T> {
    return await turn(async () => {
      const { channel, result, gone } = await openChannel(open, use);
      try {
        return await result;
      } finally {
        channel.end();
        await pause(lingerMs, gone);
      }
    });
  }

  return {
    name,
    async withChannel<T>(line: string, use: (channel: SshChannel) => Promise<T>): Promise<T> {
      const open: OpenChannel<ClientChannel> = (done) => void client.exec(line, done);
      return await withTurn(open, async (channel) => await use(channelOf(channel)));
    },
    async withFiles<T>(use: (files: RemoteFiles) => Promise<T>): Promise<T> {
      const open: OpenChannel<SFTPWrapper> = (done) => void client.sftp(done);
      return await withTurn(open, async (sftp) => {
        return await use(sftpFiles(sftp)).catch((thrown: unknown) => Promise.reject(withSystemCode(thrown)));
      });
    },
    get alive() {
      return closed === undefined;
    },
    close() {
      closed ??= 'we closed it';
      client.end();
      // A peer that answers nothing does not say goodbye either.
      setTimeout(() => client.destroy(), 1_000).unref();
    },
  };
}

function channelOf(channel: ClientChannel): SshChannel {
  const { promise: ended, resolve } = Promise.withResolvers<ChannelEnd | undefined>();
  let end: ChannelEnd | undefined;
  channel.on('exit', (exitCode: number | null, by?: string) => {
    end = { exitCode, signal: exitCode === null ? `SIG${String(by).replace(/^SIG/, '')}` : null };
  });
  channel.on('error', () => resolve(end));
  channel.on('close', () => resolve(end));
  return {
    stdin: channel,
    stdout: channel,
    stderr: channel.stderr,
    ended,
    close: () => channel.close(),
    kill() {
      if (end) return;
      channel.signal('KILL');
      channel.close();
    },
  };
}

async function authenticate(
  client: Client,
  sock: Duplex,
  target: SshTarget,
  limits: SshLimits,
  signal: AbortSignal,
): Promise<void> {
  const name = nameOf(target);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let refused: unknown;
  let offered: readonly string[] = [];
  const config: ConnectConfig = {
    sock,
    username: target.user,
    readyTimeout: limits.authenticateMs,
    keepaliveInterval: limits.keepAliveMs,
    keepaliveCountMax: 3,
    hostVerifier: (key: Buffer) => {
      try {
        target.knownHosts.check(target.host, target.port, key);
        return true;
      } catch (thrown) {
        refused = thrown;
        return false;
      }
    },
    authHandler: (left, _partial, next) => {
      // The first call asks what there is; ssh2's types leave that out.
      if ((left as unknown) === null) return next({ type: 'none', username: target.user });
      const first = offered.length === 0;
      offered = left;
      if (first && left.includes('publickey')) {
        return next({ type: 'publickey', username: target.user, key: target.privateKey });
      }
      return next(false as never);
    },
  };
  const algorithms = hostKeyAlgorithms(target.knownHosts.typesOf(target.host, target.port));
  if (algorithms.length > 0) config.algorithms = { serverHostKey: algorithms };
  const abort = (): void => reject(unavailable(name, 'it was not wanted any more', signal.reason));
  signal.addEventListener('abort', abort, { once: true });
  client.once('ready', () => resolve());
  client.on('error', (error) => reject(refused ?? loginError(name, error, offered)));
  client.on('close', () => reject(refused ?? unavailable(name, 'it closed the connection during the login')));
  try {
    client.connect(config);
    await promise;
  } catch (thrown) {
    throw thrown instanceof ServiceError ? thrown : loginError(name, asError(thrown), offered);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

type HostKeyAlgorithms = NonNullable<NonNullable<ConnectConfig['algorithms']>['serverHostKey']> & string[];

/** The signatures a host can make with keys of these types; nothing where the client's own choice will do. */
function hostKeyAlgorithms(types: readonly string[]): HostKeyAlgorithms {
  return types.flatMap((type) => (type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [type])) as HostKeyAlgorithms;
}

function loginError(name: string, error: Error, offered: readonly string[]): UnavailableError {
  const { level } = error as Error & { readonly level?: string };
  if (level === 'client-timeout') return unavailable(name, 'it did not finish the login in time', error);
  if (level !== 'client-authentication') return unavailable(name, error.message, error);
  const why = offered.includes('publickey')
    ? 'it does not take the key we have'
    : `it takes no keys, only ${offered.join(', ') || 'nothing'}`;
  return new UnavailableError('host.denied', `Host ${name} does not let us in: ${why}`, { cause: error });
}

async function openSocket(target: SshTarget, connectMs: number, signal: AbortSignal): Promise<Socket> {
  const { host, port } = target;
  const socket = connectTcp({ host, port, noDelay: true });
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const late = setTimeout(() => reject(new Error(`no answer within ${connectMs} ms`)), connectMs);
  const abort = (): void => reject(asError(signal.reason));
  signal.addEventListener('abort', abort, { once: true });
  socket.once('connect', () => resolve(socket));
  socket.once('error', reject);
  try {
    return await promise;
  } catch (thrown) {
    socket.destroy();
    throw unavailable(nameOf(target), asError(thrown).message, thrown);
  } finally {
    clearTimeout(late);
    signal.removeEventListener('abort', abort);
  }
}
