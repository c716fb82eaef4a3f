/** A login by our own means: the way to the host, through others where it has to be, its key, and ours. */

import { connect as connectTcp, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { Client, type ConnectConfig } from 'ssh2';
import { asError, ServiceError, UnavailableError } from '../../src/errors.ts';
import type { KnownHosts } from './known-hosts.ts';
import { type SshLimits, unavailable } from './ssh-connection.ts';

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

export const nameOf = ({ user, host }: SshTarget): string => `${user}@${host}`;

export interface LoggedIn {
  readonly client: Client;
  /** Ends those it leads through as well. */
  readonly end: () => void;
  /** Lets go of the socket below all of it, whatever the other side says. */
  readonly destroy: () => void;
}

export async function logIn(target: SshTarget, limits: SshLimits, signal: AbortSignal): Promise<LoggedIn> {
  const way = await openWay(target, limits, signal);
  const client = new Client();
  try {
    await authenticate(client, way.stream, target, limits, signal);
    return { client, end: way.end, destroy: way.destroy };
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
): Promise<Omit<LoggedIn, 'client'> & { readonly stream: Duplex }> {
  const { jump } = target;
  if (!jump) {
    const stream = await openSocket(target, limits.connectMs, signal);
    return { stream, end: () => undefined, destroy: () => void stream.destroy() };
  }
  const { client, end, destroy } = await logIn(jump, limits, signal);
  const endAll = (): void => {
    client.end();
    end();
  };
  try {
    const stream = await inTime<Duplex>(limits.connectMs, signal, (resolve, reject) => {
      client.forwardOut('127.0.0.1', 0, target.host, target.port, (error, channel) =>
        error ? reject(error) : resolve(channel),
      );
    });
    return { stream, end: endAll, destroy };
  } catch (thrown) {
    // With what comes too late.
    endAll();
    throw unavailable(nameOf(target), `through ${jump.host}: ${asError(thrown).message}`, thrown);
  }
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
  try {
    return await inTime<Socket>(connectMs, signal, (resolve, reject) => {
      socket.once('connect', () => resolve(socket));
      socket.once('error', reject);
    });
  } catch (thrown) {
    socket.destroy();
    throw unavailable(nameOf(target), asError(thrown).message, thrown);
  }
}

/** Rejects when it has taken too long, and when it is not wanted any more. */
async function inTime<T>(
  connectMs: number,
  signal: AbortSignal,
  begin: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const late = setTimeout(() => reject(new Error(`no answer within ${connectMs} ms`)), connectMs);
  const abort = (): void => reject(asError(signal.reason));
  signal.addEventListener('abort', abort, { once: true });
  try {
    begin(resolve, reject);
    return await promise;
  } finally {
    clearTimeout(late);
    signal.removeEventListener('abort', abort);
  }
}
