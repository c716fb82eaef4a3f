/**
 * The Redis of `abaco up`: a `redis-server` of its own on a socket in the data directory, with every command on disk
 * before it is answered. It outlives a process that is killed; the next start finds it and adopts it. Where it ends before
 * it is told to, it is started again.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { Redis } from 'ioredis';
import { asError, UnavailableError } from '../errors.ts';
import { pause, pauseMs } from '../lib/backoff.ts';
import { redisSocket } from './data-directory.ts';

export interface EmbeddedRedis {
  /** Path of the socket. */
  readonly url: string;
  /** It ran already: its last holder was killed. */
  readonly adopted: boolean;
  /** Why there is none at the moment, in the words of the log. */
  trouble(): Error | undefined;
  /** Ends the server, with all on disk. Again is a no-op. */
  close(): Promise<void>;
}

export interface EmbeddedRedisOptions {
  readonly dataDir: string;
  readonly log: {
    info(details: object, text: string): void;
    error(details: { readonly err: Error }, text: string): void;
  };
}

/** A large append-only file takes its time to load. */
const startMs = 120_000;

const restartPause = { firstMs: 100, mostMs: 10_000 };

/** Whoever has lived that long is started again at once; others, after pauses that grow. */
const calmMs = 60_000;

export async function startEmbeddedRedis({ dataDir, log }: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const socket = redisSocket(dataDir);
  const dir = dirname(socket);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const adopted = await startOrAdopt(dir, socket);
  log.info({ socket, adopted }, adopted ? 'embedded redis adopted' : 'embedded redis started');
  const leaving = new AbortController();
  let trouble: Error | undefined;

  const keeping = (async () => {
    for (let count = 0; ; count += 1) {
      const since = performance.now();
      await untilGone(socket, leaving.signal);
      if (leaving.signal.aborted) return;
      if (performance.now() - since > calmMs) count = 0;
      if (trouble === undefined) {
        trouble = new UnavailableError('storage.unavailable', 'Embedded Redis ended; it is started again');
        log.error({ err: trouble }, 'embedded redis ended');
      }
      await pause(pauseMs(count, restartPause), leaving.signal);
      if (leaving.signal.aborted) return;
      try {
        await startOrAdopt(dir, socket);
        trouble = undefined;
        log.info({ socket }, 'embedded redis answers again');
      } catch (thrown) {
        trouble = asError(thrown);
        log.error({ err: trouble }, 'embedded redis not started; it is tried again');
      }
    }
  })();

  async function close(): Promise<void> {
    leaving.abort();
    await keeping;
    await shutDown(socket);
  }

  let closing: Promise<void> | undefined;
  return { url: socket, adopted, trouble: () => trouble, close: () => (closing ??= close()) };
}

/** @returns whether it ran already. Two servers would ruin the one append-only file: one that lives is never passed over. */
async function startOrAdopt(dir: string, socket: string): Promise<boolean> {
  if (await answers(socket)) return true;
  if (await isListened(socket)) {
    throw new UnavailableError('storage.unavailable', `Embedded Redis listens on "${socket}" and does not answer`);
  }
  await rm(socket, { force: true });
  await start(dir, socket);
  return false;
}

async function start(dir: string, socket: string): Promise<void> {
  const logFile = join(dir, 'redis.log');
  const output = openSync(logFile, 'a');
  // Detached: a kill of our whole process group must not take the live state with it.
  const child = spawn('redis-server', settings(dir, socket), { detached: true, stdio: ['ignore', output, output] });
  closeSync(output);
  let ended: string | undefined;
  child.once('error', (error: NodeJS.ErrnoException) => {
    ended =
      error.code === 'ENOENT' ? 'redis-server is not installed; type: apt-get install redis-server' : error.message;
  });
  child.once('exit', (code) => {
    ended = `redis-server ended with code ${code}; see "${logFile}"`;
  });
  child.unref();
  const deadline = Date.now() + startMs;
  while (!(await answers(socket))) {
    if (ended !== undefined)
      throw new UnavailableError('storage.unavailable', `Embedded Redis did not start: ${ended}`, { retryable: false });
    if (Date.now() > deadline) {
      // The next one that is started must not meet it on the same file.
      child.kill('SIGKILL');
      throw new UnavailableError(
        'storage.unavailable',
        `Embedded Redis did not answer within ${startMs} ms; see "${logFile}"`,
      );
    }
    await pause(5);
  }
}

function settings(dir: string, socket: string): readonly string[] {
  const values: Readonly<Record<string, string>> = {
    port: '0',
    unixsocket: socket,
    unixsocketperm: '700',
    dir,
    save: '',
    appendonly: 'yes',
    appendfsync: 'always',
    daemonize: 'no',
    // Executions are hashes of a few short fields and one message; below this they are stored compactly.
    'hash-max-listpack-value': '1024',
  };
  return Object.entries(values).flatMap(([name, value]) => [`--${name}`, value]);
}

/** Whether a server that has loaded its data answers there. */
async function answers(socket: string): Promise<boolean> {
  return await ask(socket, async (redis) => (await redis.ping()) === 'PONG').catch(() => false);
}

/** Whether there is a process behind the socket, well or not. */
async function isListened(socket: string): Promise<boolean> {
  const connection = connect(socket);
  try {
    await once(connection, 'connect');
    return true;
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    return code !== 'ENOENT' && code !== 'ECONNREFUSED';
  } finally {
    connection.destroy();
  }
}

/** Resolves when a connection that is held open is closed, at once where there is none, and when the signal aborts. */
async function untilGone(socket: string, signal: AbortSignal): Promise<void> {
  const connection = connect(socket).resume();
  await once(connection, 'close', { signal }).catch(() => undefined);
  connection.destroy();
}

async function shutDown(socket: string): Promise<void> {
  // It closes the connection instead of answering.
  await ask(socket, (redis) => redis.shutdown('NOSAVE')).catch(() => undefined);
  while (await answers(socket)) await pause(10);
}

async function ask<T>(socket: string, question: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({ path: socket, lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await question(redis);
  } finally {
    redis.disconnect();
  }
}
