/** Redis of the configuration, for commands of an operator, without a service around it. */

import type { Redis } from 'ioredis';
import type { Config } from '../config/schema.ts';
import { UnavailableError } from '../errors.ts';
import { redisSocket } from './data-directory.ts';
import { openRedis, throwRedisError } from './redis.ts';
import { parseMark, type StoreMark } from './store-mark.ts';

export interface OperatorRedisOptions {
  readonly config: Config;
  /** Key of the installation's mark. */
  readonly key: string;
  /** Why nothing can be done without it. */
  readonly why: string;
}

/** For as long as `use` takes. The embedded one is there while the service is. */
export async function withRedis<T>(
  { config, key, why }: OperatorRedisOptions,
  use: (redis: Redis, mark: StoreMark) => Promise<T>,
): Promise<T> {
  const url = config.redis.url || redisSocket(config.service.dataDir);
  const redis = await openRedis({ url, onError: () => undefined }).catch((thrown: unknown) => {
    const message = `Redis at ${placeOf(url)} does not answer; ${why}: ${remedyFor(config)}`;
    throw new UnavailableError('storage.unavailable', message, { cause: thrown });
  });
  try {
    const mark = await redis.get(key).catch(throwRedisError);
    if (mark === null)
      throw new UnavailableError(
        'storage.unavailable',
        'Redis knows no installation: no service has been started with it',
      );
    return await use(redis, parseMark(JSON.parse(mark), 'Redis'));
  } finally {
    redis.disconnect();
  }
}

/** Without the password. */
function placeOf(url: string): string {
  const parsed = URL.parse(url);
  return parsed === null ? url : `${parsed.protocol}//${parsed.host}`;
}

function remedyFor({ redis }: Config): string {
  if (redis.url !== '') return 'start Redis, or name another by --config or ABACO_REDIS_URL';
  return 'start the service, or name the directory that it keeps its data in by --data-dir';
}
