/** SSH by our own means, in this process: one authenticated connection, and a bounded number of channels on it. */

import pLimit from 'p-limit';
import type { ClientChannel, SFTPWrapper } from 'ssh2';
import { asError, ServiceError } from '../../src/errors.ts';
import { pause, pauseMs } from '../../src/lib/backoff.ts';
import type { RemoteFiles } from './remote-files.ts';
import { sftpFiles, withSystemCode } from './sftp-files.ts';
import {
  type ChannelEnd,
  CutOffError,
  type SshChannel,
  type SshConnection,
  type SshConnector,
  type SshLimits,
  unavailable,
} from './ssh-connection.ts';
import { type LoggedIn, logIn, nameOf, type SshTarget } from './ssh2-login.ts';

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

async function connectSsh2(target: SshTarget, limits: SshLimits, signal: AbortSignal): Promise<SshConnection> {
  return createConnection(nameOf(target), await logIn(target, limits, signal), limits);
}

interface OpenChannel<C> {
  readonly begin: (done: (error: Error | undefined, channel: C) => void) => void;
  /** What it means that the connection goes before the answer. */
  readonly lost: (reason: string) => Error;
}

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

function createConnection(name: string, { client, end, destroy }: LoggedIn, limits: SshLimits): SshConnection {
  const turn = pLimit(limits.channels);
  const listeners = new Set<(reason: string) => void>();
  let closed: string | undefined;
  let trouble = 'the connection was closed';
  client.on('error', (error) => {
    trouble = error.message;
  });
  client.on('close', () => {
    closed ??= trouble;
    end();
    for (const listener of listeners) listener(closed);
    listeners.clear();
  });

  function close(reason: string): void {
    closed ??= reason;
    client.end();
    // A peer that answers nothing does not say goodbye either.
    setTimeout(destroy, 1_000).unref();
  }

  /**
   * Settles when the channel is open, or with the connection, which is given up for a channel that does not come. `use`
   * begins in the same turn of the event loop: what a short program has to say may come in the packet that opens its
   * channel.
   */
  async function openOnce<C, T>(open: OpenChannel<C>, use: (channel: C) => Promise<T>): Promise<Opened<C, T>> {
    const { promise, resolve, reject } = Promise.withResolvers<Opened<C, T>>();
    const lost = (reason: string): void => reject(open.lost(reason));
    listeners.add(lost);
    const late = setTimeout(() => {
      const reason = `it did not open a channel within ${limits.openMs} ms`;
      lost(reason);
      close(reason);
    }, limits.openMs);
    try {
      // Throws where the socket takes no more and is not closed yet.
      open.begin((error, channel) => {
        if (closed !== undefined) return lost(closed);
        if (error) return reject(error);
        const gone = new AbortController();
        (channel as ClientChannel).once('close', () => gone.abort());
        resolve({ channel, result: use(channel), gone: gone.signal });
      });
      const opened = await promise;
      // Waited for by the caller; a rejection before that is not unhandled.
      opened.result.catch(() => undefined);
      return opened;
    } finally {
      clearTimeout(late);
      listeners.delete(lost);
    }
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
      const open: OpenChannel<ClientChannel> = {
        begin: (done) => void client.exec(line, done),
        lost: (reason) => new CutOffError(unavailable(name, reason)),
      };
      return await withTurn(open, async (channel) => await use(channelOf(channel)));
    },
    async withFiles<T>(use: (files: RemoteFiles) => Promise<T>): Promise<T> {
      const open: OpenChannel<SFTPWrapper> = {
        begin: (done) => void client.sftp(done),
        lost: (reason) => unavailable(name, reason),
      };
      return await withTurn(open, async (sftp) => {
        return await use(sftpFiles(name, sftp)).catch((thrown: unknown) => Promise.reject(withSystemCode(thrown)));
      });
    },
    get alive() {
      return closed === undefined;
    },
    close: () => close('we closed it'),
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
      // It stays open where something else holds its streams.
      if (!end) channel.signal('KILL');
      channel.close();
    },
  };
}
