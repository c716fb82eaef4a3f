/**
 * The Redis of `abaco up`: a `redis-server` of its own on a socket in the data directory, with every command on disk
 * before it is answered. It outlives a process that is killed; the next start finds it and adopts it.
 */

import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { UnavailableError } from '../errors.ts';

export interface EmbeddedRedis {
  /** Path of the socket. */
  readonly url: string;
  /** It ran already: its last holder was killed. */
  readonly adopted: boolean;
  /** Ends the server, with all on disk. Again is a no-op. */
  close(): Promise<void>;
}

export interface EmbeddedRedisOptions {
  readonly dataDir: string;
  readonly log: { info(details: object, text: string): void };
}

/** Of `sockaddr_un` on Linux, less the closing NUL. */
const longestSocketPath = 107;

/** A large append-only file takes its time to load. */
const startMs = 120_000;

export async function startEmbeddedRedis({ dataDir, log }: EmbeddedRedisOptions): Promise<EmbeddedRedis> {
  const dir = join(dataDir, 'redis');
  const socket = join(dir, 'redis.sock');
  if (Buffer.byteLength(socket) > longestSocketPath) {
    throw new UnavailableError(
      'storage.unavailable',
      `Socket path "${socket}" is longer than the ${longestSocketPath} bytes Linux takes; choose a shorter --data-dir`,
      { retryable: false },
    );
  }
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const adopted = await answers(socket);
  if (!adopted) {
    await rm(socket, { force: true });
    await start(dir, socket);
  }
  log.info({ socket, adopted }, adopted ? 'embedded redis adopted' : 'embedded redis started');
  let closing: Promise<void> | undefined;
  return { url: socket, adopted, close: () => (closing ??= shutDown(socket)) };
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
    if (Date.now() > deadline)
      throw new UnavailableError(
        'storage.unavailable',
        `Embedded Redis did not answer within ${startMs} ms; see "${logFile}"`,
      );
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
  return await once(socket, async (redis) => (await redis.ping()) === 'PONG').catch(() => false);
}

async function shutDown(socket: string): Promise<void> {
  // It closes the connection instead of answering.
  await once(socket, (redis) => redis.shutdown('NOSAVE')).catch(() => undefined);
  while (await answers(socket)) await pause(10);
}

async function once<T>(socket: string, ask: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({ path: socket, lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    return await ask(redis);
  } finally {
    redis.disconnect();
  }
}
