/** The API on real stores: a `redis-server` of its own, SQLite and a blob directory. Workers are played by the test. */

import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { createActorStore } from '../../src/actors/actor-store.ts';
import { createAliasStore } from '../../src/actors/alias-store.ts';
import { createConfigStore } from '../../src/actors/config-store.ts';
import { createSecretBox } from '../../src/actors/secret-box.ts';
import { type ApiOptions, buildApi } from '../../src/api/build-api.ts';
import { describeForSearch } from '../../src/api/search-fields.ts';
import type { Services } from '../../src/api/services.ts';
import { createAllowanceStore } from '../../src/auth/allowance-store.ts';
import { createIdentities } from '../../src/auth/identities.ts';
import { createNonceStore } from '../../src/auth/nonce-store.ts';
import { createPermissionStore } from '../../src/auth/permission-store.ts';
import { createRunAsPlanner } from '../../src/auth/run-as.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Config } from '../../src/config/schema.ts';
import { createEventStore } from '../../src/events/event-store.ts';
import { createExecutionStore } from '../../src/executions/execution-store.ts';
import type { History } from '../../src/history/history.ts';
import { createOutbox } from '../../src/history/outbox.ts';
import { createSqliteHistory } from '../../src/history/sqlite-history.ts';
import { createLauncherTable, type LauncherEntry } from '../../src/launcher/launcher-table.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { createIdSource } from '../../src/lib/ids.ts';
import { createMailbox } from '../../src/mailbox/mailbox.ts';
import { createNews } from '../../src/mailbox/news.ts';
import { createRoomStore } from '../../src/mailbox/room-store.ts';
import { createAuditLog } from '../../src/observability/audit-log.ts';
import { createHealth } from '../../src/observability/health.ts';
import { createMetrics } from '../../src/observability/metrics.ts';
import { createBlobStore } from '../../src/storage/blob-store.ts';
import { openRedis } from '../../src/storage/redis.ts';
import { createWorkerStore } from '../../src/workers/worker-store.ts';
import { startRedis, type TestRedis } from './redis-server.ts';
import { makeTestDirectory } from './test-directory.ts';

export interface ApiService extends AsyncDisposable {
  readonly services: Services;
  readonly redis: TestRedis;
  readonly app: FastifyInstance;
  /** Another application on the same stores. */
  another(options: ApiOptions): FastifyInstance;
}

export interface ApiServiceOptions {
  readonly appendfsync?: 'off' | 'everysec' | 'always';
  /** Settings as the environment spells them. */
  readonly settings?: Readonly<Record<string, string>>;
  /** A site file, for what the environment cannot say. */
  readonly siteFile?: string;
  readonly history?: (real: History) => History;
  /** None are needed to answer; some say what they cannot give. */
  readonly launchers?: readonly LauncherEntry[];
}

export async function startApiService(options: ApiServiceOptions = {}): Promise<ApiService> {
  const directory = await makeTestDirectory('api');
  const server = await startRedis({ appendfsync: options.appendfsync ?? 'off' });
  const config = await testConfig(directory.path, options);
  const onError = (): void => undefined;
  const redis = await openRedis({ url: server.url, onError });
  const news = await createNews(await openRedis({ url: server.url, onError }), config.redis.prefix);
  const mark = { installationId: 'test', shape: 1, writtenBy: 'test' };
  const real = await createSqliteHistory({ path: join(directory.path, 'history.sqlite'), mark });
  const history = options.history?.(real) ?? real;
  const { prefix } = config.redis;
  const launchers = createLauncherTable(options.launchers ?? []);
  const services: Services = {
    config,
    actors: createActorStore({
      redis,
      prefix,
      mostPerUser: config.limits.actorsPerUser,
      mostPerTenant: config.limits.actorsPerTenant,
    }),
    aliases: createAliasStore({ redis, prefix }),
    allowances: createAllowanceStore({ redis, prefix, allowances: config.limits }),
    configs: createConfigStore({ redis, prefix, secrets: createSecretBox([randomBytes(32)]) }),
    permissions: createPermissionStore({ redis, prefix }),
    nonces: createNonceStore({ redis, prefix }),
    mailbox: createMailbox({
      redis,
      prefix,
      maxWaiting: config.messages.maxWaiting,
      idempotencyKeepMs: config.messages.idempotencyKeepMs,
      resultsKeepMs: config.results.keepMs,
    }),
    rooms: createRoomStore({ redis, prefix, limits: config.limits }),
    executions: createExecutionStore({ redis, prefix, resultsKeepMs: config.results.keepMs }),
    events: createEventStore({ redis, prefix }),
    history,
    outbox: { catchUp: (...asked) => outbox.catchUp(...asked) },
    workers: createWorkerStore({ redis, prefix }),
    blobs: createBlobStore({ dir: config.blobs.dir }),
    news,
    ids: createIdSource({ processNumber: () => 1, clock: systemClock }),
    launchers,
    launcherWait: () => undefined,
    health: createHealth({
      redis: async () => void (await redis.ping()),
      history,
      durability: { ok: false, detail: 'appendonly no, appendfsync no' },
    }),
    metrics: createMetrics({
      actors: async () => (await services.actors.count()).current,
      workers: () => services.workers.all(),
      mailboxes: async () => [],
    }),
    clock: systemClock,
    audit: createAuditLog({ file: config.audit.file, log: pino({ level: 'silent' }) }),
    runAs: createRunAsPlanner({ config, launchers, identities: createIdentities(config, systemClock) }),
    log: pino({ level: process.env['ABACO_TEST_LOG'] ?? 'silent' }),
  };
  const outbox = createOutbox({
    ...services,
    describe: describeForSearch,
    batch: config.history.batch,
    intervalMs: config.history.intervalMs,
    logExpiresAt: async () => undefined,
  });
  const apps: FastifyInstance[] = [];
  const another = (apiOptions: ApiOptions): FastifyInstance => {
    const app = buildApi(services, apiOptions);
    apps.push(app);
    return app;
  };
  return {
    services,
    redis: server,
    app: another({}),
    another,
    [Symbol.asyncDispose]: async () => {
      for (const app of apps) await app.close();
      await services.audit.close();
      await news.close();
      redis.disconnect();
      await real.close();
      await server[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

async function testConfig(dataDir: string, { settings = {}, siteFile }: ApiServiceOptions): Promise<Config> {
  const env = { ABACO_SERVICE_DATA_DIR: dataDir, ...settings };
  if (siteFile === undefined) return loadConfig({ env }).config;
  const file = join(dataDir, 'site.toml');
  await writeFile(file, siteFile);
  return loadConfig({ env, file }).config;
}
