/** The connection to Redis, and what we ask of the server before we trust it with a message. */

import { Redis } from 'ioredis';
import { asError, ServiceError, UnavailableError } from '../errors.ts';

export interface RedisOptions {
  /** `redis://…`, `rediss://…` or the path of a socket. */
  readonly url: string;
  /** Connection trouble that is being retried; said once per outage. */
  readonly onError: (error: Error) => void;
}

/**
 * Opens a connection that heals itself. While it is broken every command fails at once with `storage.unavailable`; a
 * command in flight when it breaks fails too, and its outcome is unknown.
 */
export function connectRedis(options: RedisOptions): Redis {
  const redis = new Redis(options.url, {
    enableOfflineQueue: false,
    enableAutoPipelining: false,
    maxRetriesPerRequest: 0,
    lazyConnect: true,
    retryStrategy: (times) => Math.min(50 * times, 1_000),
  });
  redis.on('connect', () => gatherWrites(redis.stream));
  let broken = false;
  redis.on('error', (error: Error) => {
    if (!broken) options.onError(error);
    broken = true;
  });
  redis.on('ready', () => {
    broken = false;
  });
  return redis;
}

/**
 * What one turn of the event loop sends goes out in one write, for which we and Redis each call the system once. Each
 * command still has its own answer, unlike in a pipeline, where all wait for the slowest.
 */
function gatherWrites(stream: Redis['stream']): void {
  const write = stream.write.bind(stream) as (...args: unknown[]) => boolean;
  let gathering = false;
  stream.write = (...args: unknown[]) => {
    if (!gathering) {
      gathering = true;
      stream.cork();
      setImmediate(() => {
        gathering = false;
        stream.uncork();
      });
    }
    return write(...args);
  };
}

/**
 * Tells of every connection after the first, before any command passes over it. What answers may be another server, or
 * the same one after a restart: who relied on what it had kept has to look again.
 */
export function onReconnect(redis: Redis, listener: () => void): void {
  redis.on('ready', listener);
}

/** Waits for the first connection, so that a start fails with a sentence and not with the first command. */
export async function openRedis(options: RedisOptions): Promise<Redis> {
  const redis = connectRedis(options);
  try {
    await redis.connect();
  } catch (thrown) {
    redis.disconnect();
    throw new UnavailableError('storage.unavailable', `Redis does not answer: ${asError(thrown).message}`, {
      cause: thrown,
    });
  }
  return redis;
}

/** Any failure of a command as ours: what the server said stays itself, all else is "does not answer". */
export function asRedisError(thrown: unknown): Error {
  const error = asError(thrown);
  if (error instanceof ServiceError) return error;
  if (error.name === 'ReplyError' && !/^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|MISCONF|OOM)\b/.test(error.message)) {
    return error;
  }
  return new UnavailableError('storage.unavailable', 'Redis does not answer', { cause: error });
}

export function throwRedisError(thrown: unknown): never {
  throw asRedisError(thrown);
}

export interface Durability {
  readonly ok: boolean;
  /** What was found, for people. */
  readonly detail: string;
}

/** Reads whether the server has each command on its disk before it answers (promise 10). Unreadable counts as weak. */
export async function readDurability(redis: Redis): Promise<Durability> {
  try {
    const [appendonly, appendfsync] = await Promise.all([setting(redis, 'appendonly'), setting(redis, 'appendfsync')]);
    const detail = `appendonly ${appendonly}, appendfsync ${appendfsync}`;
    return { ok: appendonly === 'yes' && appendfsync === 'always', detail };
  } catch (thrown) {
    return { ok: false, detail: `its settings cannot be read: ${asError(thrown).message}` };
  }
}

async function setting(redis: Redis, name: string): Promise<string> {
  const answer = (await redis.config('GET', name)) as readonly string[];
  return answer[1] ?? 'unknown';
}
