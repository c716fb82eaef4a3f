/** Everything that keeps something: Redis, the history, the blobs, and the stores on top of them. */

import { join } from 'node:path';
import { createActorStore } from './actors/actor-store.ts';
import { createAliasStore } from './actors/alias-store.ts';
import { createConfigStore } from './actors/config-store.ts';
import { createSecretBox } from './actors/secret-box.ts';
import type { Services } from './api/services.ts';
import { createAllowanceStore } from './auth/allowance-store.ts';
import { createNonceStore } from './auth/nonce-store.ts';
import { createPermissionStore } from './auth/permission-store.ts';
import type { LoadedConfig } from './config/load.ts';
import type { Config } from './config/schema.ts';
import { ConfigError, UnavailableError } from './errors.ts';
import { createEventStore } from './events/event-store.ts';
import { createExecutionStore } from './executions/execution-store.ts';
import type { History } from './history/history.ts';
import { createMongoHistory } from './history/mongo-history.ts';
import { createSqliteHistory } from './history/sqlite-history.ts';
import { systemClock } from './lib/clock.ts';
import type { Closers } from './lib/closers.ts';
import { createIdSource } from './lib/ids.ts';
import { createKeys } from './mailbox/keys.ts';
import { createMailbox } from './mailbox/mailbox.ts';
import { createNews } from './mailbox/news.ts';
import { createRoomStore } from './mailbox/room-store.ts';
import { createHealth, type Health } from './observability/health.ts';
import type { Logger } from './observability/logger.ts';
import { createBlobStore } from './storage/blob-store.ts';
import { lockDataDir } from './storage/data-dir-lock.ts';
import { checkSocketLength, makeDataDirectory } from './storage/data-directory.ts';
import { type EmbeddedRedis, startEmbeddedRedis } from './storage/embedded-redis.ts';
import { claimBlobDirectory, claimInstallation } from './storage/installation.ts';
import { leaseProcessNumber } from './storage/process-number.ts';
import { onReconnect, openRedis, readDurability } from './storage/redis.ts';
import { readSecretKeys } from './storage/secret-keys.ts';
import type { StoreMark } from './storage/store-mark.ts';
import { createWorkerStore } from './workers/worker-store.ts';

export interface StorageOptions {
  readonly loaded: LoadedConfig;
  /** Whether the data directory is this process's alone, and Redis a child of it where none is configured. */
  readonly alone: boolean;
  readonly version: string;
  readonly log: Logger;
}

export interface Storage
  extends Pick<
    Services,
    | 'actors'
    | 'aliases'
    | 'allowances'
    | 'configs'
    | 'permissions'
    | 'nonces'
    | 'mailbox'
    | 'rooms'
    | 'executions'
    | 'events'
    | 'workers'
    | 'blobs'
    | 'news'
    | 'ids'
    | 'history'
  > {
  readonly mark: StoreMark;
  readonly health: Health;
  readonly onReconnect: (listener: () => void) => void;
}

export async function composeStorage(
  { loaded, alone, version, log }: StorageOptions,
  closers: Closers,
): Promise<Storage> {
  const { config } = loaded;
  const { dataDir } = config.service;
  if (alone && !config.redis.url) checkSocketLength(dataDir);
  await makeDataDirectory(dataDir);
  if (alone) {
    const lock = lockDataDir(dataDir);
    closers.add('data directory', () => lock.release());
  }
  const { url, trouble } = await redisServer(config, alone, log, closers);
  const onError = (error: Error): void => log.error({ err: error }, 'redis connection broken; it is tried again');
  const redis = await openRedis({ url, onError });
  closers.add('redis', () => redis.disconnect());
  const durability = await readDurability(redis);
  if (!durability.ok && config.redis.durability !== 'weak') {
    throw new UnavailableError(
      'storage.weak',
      `Redis does not write each command to disk before it answers: ${durability.detail}; ` +
        'set appendonly yes and appendfsync always, or say redis.durability = "weak" to accept the loss of messages',
      { retryable: false },
    );
  }
  const prefix = config.redis.prefix;
  const mark = await claimInstallation({
    redis,
    key: createKeys(prefix).installation,
    dataDir,
    writtenBy: `abaco-hpc ${version}`,
  });
  const blobs = createBlobStore({ dir: config.blobs.dir });
  await claimBlobDirectory(redis, createKeys(prefix).blobDirectory, config.blobs.dir, await blobs.check(mark));
  const history = await openHistory(config, mark, log);
  closers.add('history', () => history.close());
  const subscriber = await openRedis({ url, onError });
  const news = await createNews(subscriber, prefix);
  closers.add('news', () => news.close());
  const processNumber = await leaseProcessNumber({
    redis,
    prefix,
    clock: systemClock,
    onError: (error) => log.warn({ err: error }, 'process number not renewed; it is tried again'),
  });
  closers.add('process number', () => processNumber.close());
  const resultsKeepMs = config.results.keepMs;
  return {
    mark,
    onReconnect: (listener) => onReconnect(redis, listener),
    blobs,
    history,
    news,
    actors: createActorStore({
      redis,
      prefix,
      mostPerUser: config.limits.actorsPerUser,
      mostPerTenant: config.limits.actorsPerTenant,
    }),
    aliases: createAliasStore({ redis, prefix }),
    allowances: createAllowanceStore({ redis, prefix, allowances: config.limits }),
    configs: createConfigStore({
      redis,
      prefix,
      secrets: createSecretBox(await readSecretKeys(config, alone ? 'make' : 'ignore')),
    }),
    permissions: createPermissionStore({ redis, prefix }),
    nonces: createNonceStore({ redis, prefix }),
    mailbox: createMailbox({
      redis,
      prefix,
      resultsKeepMs,
      maxWaiting: config.messages.maxWaiting,
      idempotencyKeepMs: config.messages.idempotencyKeepMs,
    }),
    rooms: createRoomStore({ redis, prefix, limits: config.limits }),
    executions: createExecutionStore({ redis, prefix, resultsKeepMs }),
    events: createEventStore({ redis, prefix }),
    workers: createWorkerStore({ redis, prefix }),
    ids: createIdSource({ processNumber: () => processNumber.current(), clock: systemClock }),
    health: createHealth({
      async redis() {
        const known = trouble();
        if (known) throw known;
        await redis.ping();
      },
      history,
      durability,
    }),
  };
}

async function redisServer(
  config: Config,
  alone: boolean,
  log: Logger,
  closers: Closers,
): Promise<Pick<EmbeddedRedis, 'url' | 'trouble'>> {
  if (config.redis.url) return { url: config.redis.url, trouble: () => undefined };
  if (!alone) {
    throw new ConfigError([
      {
        path: 'redis.url',
        where: 'redis.url',
        message: 'Only "abaco up" starts a Redis of its own; give the address of yours',
      },
    ]);
  }
  const embedded = await startEmbeddedRedis({ dataDir: config.service.dataDir, log });
  closers.add('embedded redis', () => embedded.close());
  return embedded;
}

async function openHistory(config: Config, mark: StoreMark, log: Logger): Promise<History> {
  if (config.history.url) return await createMongoHistory({ url: config.history.url, mark, log });
  return await createSqliteHistory({ path: join(config.service.dataDir, 'history.sqlite'), mark });
}
