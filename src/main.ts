/**
 * The composition root: builds values in order and hands each one what it needs. The only file that imports `launchers/`.
 *
 * Start: storage → launchers (probe, report, go on) → recovery and supervisor → listen. Stop runs the same backwards.
 */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { launcherKinds } from '../launchers/index.ts';
import { createActorStore } from './actors/actor-store.ts';
import { listenApi } from './api/listen.ts';
import type { Services } from './api/services.ts';
import { readLauncherOptions } from './config/launcher-options.ts';
import type { LoadedConfig } from './config/load.ts';
import type { Config } from './config/schema.ts';
import { ConfigError, UnavailableError } from './errors.ts';
import { createExecutionStore } from './executions/execution-store.ts';
import type { History } from './history/history.ts';
import { logExpiresAt } from './history/log-expiry.ts';
import { createMongoHistory } from './history/mongo-history.ts';
import { createOutbox } from './history/outbox.ts';
import { createSqliteHistory } from './history/sqlite-history.ts';
import type { Launcher, LauncherContext, LauncherHealth } from './launcher/launcher.ts';
import { createLauncherTable, type LauncherEntry, type LauncherTable } from './launcher/launcher-table.ts';
import { bridgeAddress } from './lib/bridge-address.ts';
import { systemClock } from './lib/clock.ts';
import { type Closers, createClosers } from './lib/closers.ts';
import { createIdSource } from './lib/ids.ts';
import { packagePath } from './lib/package-root.ts';
import { createKeys } from './mailbox/keys.ts';
import { createMailbox } from './mailbox/mailbox.ts';
import { createNews } from './mailbox/news.ts';
import { createHealth, type Health } from './observability/health.ts';
import type { Logger } from './observability/logger.ts';
import { createBlobStore } from './storage/blob-store.ts';
import { lockDataDir } from './storage/data-dir-lock.ts';
import { startEmbeddedRedis } from './storage/embedded-redis.ts';
import { claimBlobDirectory, claimInstallation } from './storage/installation.ts';
import { leaseProcessNumber } from './storage/process-number.ts';
import { onReconnect, openRedis, readDurability } from './storage/redis.ts';
import type { StoreMark } from './storage/store-mark.ts';
import { createActorPreparation } from './workers/actor-preparation.ts';
import { createLauncherGate } from './workers/launcher-gate.ts';
import { createLeaseKeeper } from './workers/lease-keeper.ts';
import { createOutputCollector } from './workers/output-collector.ts';
import { createRecovery } from './workers/recovery.ts';
import { type CheckPoint, runExecution } from './workers/run-execution.ts';
import { createSupervisor } from './workers/supervisor.ts';
import { createWorkerStore } from './workers/worker-store.ts';

export interface Roles {
  readonly api: boolean;
  readonly supervisor: boolean;
  /** `abaco up`: the data directory is ours alone, and Redis is a child where none is configured. */
  readonly alone: boolean;
}

export interface ComposeOptions {
  readonly loaded: LoadedConfig;
  readonly roles: Roles;
  readonly version: string;
  readonly log: Logger;
  /** Called at each named point of an execution's path; tests kill or freeze the process there. */
  readonly checkpoint?: (point: string) => Promise<void>;
}

export interface RunningService {
  /** Where the API listens. */
  readonly addresses: readonly string[];
  /** No new messages, what runs may finish within `service.drain`, then everything is closed. */
  drain(): Promise<void>;
  /** Leaves at once: leases are given back, what runs is found again by the next process. */
  force(): Promise<void>;
}

/** Starts everything the roles ask for. A start that fails half way undoes what was made. */
export async function compose(options: ComposeOptions): Promise<RunningService> {
  const { log } = options;
  const closers = createClosers((name, error) => log.error({ err: error, part: name }, 'part not closed cleanly'));
  try {
    return await composeParts(options, closers);
  } catch (thrown) {
    await closers.close();
    throw thrown;
  }
}

async function composeParts(options: ComposeOptions, closers: Closers): Promise<RunningService> {
  const { roles, log, loaded } = options;
  const { config } = loaded;
  const checkpoint = options.checkpoint ?? (async () => undefined);
  const storage = await openStorage(options, closers);
  const { mark, history, blobs, news, actors, mailbox, executions, workers, ids, health } = storage;
  const launchers = await openLaunchers(options, mark, checkpoint, closers);
  const leaving = new AbortController();
  const services: Services = {
    config,
    actors,
    mailbox,
    executions,
    history,
    workers,
    blobs,
    news,
    ids,
    launchers,
    health,
    log,
    clock: systemClock,
  };

  const outbox = createOutbox({
    mailbox,
    actors,
    executions,
    history,
    blobs,
    log,
    news,
    batch: config.history.batch,
    intervalMs: config.history.intervalMs,
    logExpiresAt: async (actor, ended) => {
      const found = await actors.get(actor.tenant, actor.actorId);
      return logExpiresAt(ended, found?.logEx ?? null, {
        defaultSeconds: (config.logs.keepMs ?? 0) / 1_000,
        limitSeconds: (config.logs.keepLimitMs ?? 0) / 1_000,
      });
    },
  });

  const api = roles.api ? await listenApi(services, bridgeAddress()) : undefined;
  if (api) closers.add('api', () => api.close());
  const supervisor = roles.supervisor
    ? composeSupervisor({
        config,
        services,
        launchers,
        storage,
        checkpoint,
        leaving,
        closers,
        apiServer: api?.containerUrl,
      })
    : undefined;
  outbox.start();
  closers.add('outbox', () => outbox.stop());
  closers.add('supervisor', async () => {
    leaving.abort();
    await supervisor?.stop();
  });
  await supervisor?.start();
  log.info({ addresses: api?.addresses ?? [], installationId: mark.installationId }, 'service started');

  return {
    addresses: api?.addresses ?? [],
    async drain() {
      health.draining = true;
      const finished = supervisor?.stop() ?? Promise.resolve();
      const timer = setTimeout(() => leaving.abort(), config.service.drainMs);
      await finished;
      clearTimeout(timer);
      await outbox.drain().catch((thrown: unknown) => log.warn({ err: thrown }, 'outbox left for the next start'));
      await closers.close();
    },
    async force() {
      health.draining = true;
      leaving.abort();
      await closers.close();
    },
  };
}

interface Storage
  extends Pick<Services, 'actors' | 'mailbox' | 'executions' | 'workers' | 'blobs' | 'news' | 'ids' | 'history'> {
  readonly mark: StoreMark;
  readonly health: Health;
  readonly onReconnect: (listener: () => void) => void;
}

async function openStorage({ loaded, roles, version, log }: ComposeOptions, closers: Closers): Promise<Storage> {
  const { config } = loaded;
  const { dataDir } = config.service;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  if (roles.alone) {
    const lock = await lockDataDir(dataDir);
    closers.add('data directory', () => lock.release());
  }
  const url = await redisUrl(config, roles, log, closers);
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
    actors: createActorStore({ redis, prefix }),
    mailbox: createMailbox({
      redis,
      prefix,
      resultsKeepMs,
      maxWaiting: config.messages.maxWaiting,
      idempotencyKeepMs: config.messages.idempotencyKeepMs,
    }),
    executions: createExecutionStore({ redis, prefix, resultsKeepMs }),
    workers: createWorkerStore({ redis, prefix }),
    ids: createIdSource({ processNumber: () => processNumber.current(), clock: systemClock }),
    health: createHealth({ redis: async () => void (await redis.ping()), history, durability }),
  };
}

async function redisUrl(config: Config, roles: Roles, log: Logger, closers: Closers): Promise<string> {
  if (config.redis.url) return config.redis.url;
  if (!roles.alone) {
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
  return embedded.url;
}

async function openHistory(config: Config, mark: StoreMark, log: Logger): Promise<History> {
  if (config.history.url) return await createMongoHistory({ url: config.history.url, mark, log });
  return await createSqliteHistory({ path: join(config.service.dataDir, 'history.sqlite'), mark });
}

/** A launcher that is not well is reported and kept: its messages wait, the rest goes on. */
async function openLaunchers(
  { loaded, log }: ComposeOptions,
  mark: StoreMark,
  checkpoint: (point: string) => Promise<void>,
  closers: Closers,
): Promise<LauncherTable> {
  const { config } = loaded;
  const entries: LauncherEntry[] = [];
  for (const name of Object.keys(config.launchers)) {
    const launcher = await createLauncher(loaded, name, {
      installationId: mark.installationId,
      log: log.child({ launcher: name }),
      checkpoint,
    });
    closers.add(`launcher ${name}`, () => launcher.close());
    entries.push({ name, place: `${name}@${config.workers.hostId}`, launcher });
  }
  await Promise.all(entries.map((entry) => reportProbe(entry, log)));
  return createLauncherTable(entries);
}

async function createLauncher(
  loaded: LoadedConfig,
  name: string,
  context: Pick<LauncherContext, 'installationId' | 'log' | 'checkpoint'>,
): Promise<Launcher> {
  const { config } = loaded;
  const kindName = config.launchers[name]?.kind;
  const kind = launcherKinds.find((known) => known.kind === kindName);
  if (!kind) {
    const known = launcherKinds.map((other) => other.kind).join(', ');
    const message = `Launcher "${name}" is of kind "${kindName}"; known kinds: ${known}`;
    const where = loaded.origins.get(`launchers.${name}.kind`) ?? 'configuration';
    throw new ConfigError([{ path: `launchers.${name}.kind`, where, message }]);
  }
  const { options, problems } = readLauncherOptions({ name, schema: kind.options, loaded });
  if (problems.length > 0) throw new ConfigError(problems);
  const dataDir = join(config.service.dataDir, 'launchers', name);
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const nativeDir = packagePath('native', 'build');
  return await kind.create(name, options, { ...context, dataDir, nativeDir, registries: config.registries });
}

/** What each configured launcher says of itself, without a service around it. */
export async function probeAll(loaded: LoadedConfig, log: Logger): Promise<readonly ProbedLauncher[]> {
  return await Promise.all(
    Object.keys(loaded.config.launchers).map(async (name) => {
      const launcher = await createLauncher(loaded, name, {
        installationId: 'probe',
        log,
        checkpoint: async () => undefined,
      });
      try {
        return {
          name,
          kind: loaded.config.launchers[name]?.kind ?? '',
          health: await launcher.probe(AbortSignal.timeout(15_000)),
        };
      } finally {
        await launcher.close();
      }
    }),
  );
}

export interface ProbedLauncher {
  readonly name: string;
  readonly kind: string;
  readonly health: LauncherHealth;
}

async function reportProbe({ place, launcher }: LauncherEntry, log: Logger): Promise<void> {
  const health = await launcher.probe(AbortSignal.timeout(15_000));
  if (health.ok) log.info({ launcher: place, detail: health.detail }, 'launcher ready');
  else log.warn({ launcher: place, detail: health.detail }, 'launcher not ready; its messages wait');
}

interface SupervisorParts {
  readonly config: Config;
  readonly services: Services;
  readonly launchers: LauncherTable;
  readonly storage: Storage;
  readonly checkpoint: (point: CheckPoint) => Promise<void>;
  readonly leaving: AbortController;
  readonly closers: Closers;
  readonly apiServer: string | undefined;
}

function composeSupervisor(parts: SupervisorParts): ReturnType<typeof createSupervisor> {
  const { config, services, launchers, closers, leaving } = parts;
  const { actors, mailbox, news, blobs, workers, log, clock } = services;
  const onError = (thrown: unknown): void => log.debug({ err: thrown }, 'background step failed; it is repeated');
  const leases = createLeaseKeeper({ mailbox, news, onError, extendEveryMs: config.workers.extendEveryMs });
  closers.add('leases', () => leases.close());
  const gate = createLauncherGate({
    log,
    leaving: leaving.signal,
    onChange: (_entry, wait) => {
      if (!wait) void supervisor.sweep().catch(onError);
    },
  });
  // Promise 10: what a server that comes back has kept is not taken on trust.
  parts.storage.onReconnect(() => {
    const reason = new UnavailableError(
      'launcher.unavailable',
      'Redis was away; the launcher is looked at again first',
    );
    for (const entry of launchers.entries) gate.close(entry, reason);
  });
  const output = createOutputCollector({
    blobs,
    mailbox,
    onError,
    pollMs: config.logs.pollMs,
    inlineBytes: config.blobs.inlineBytes,
  });
  const run: Parameters<typeof createSupervisor>[0]['run'] = (entry, claimed, actor) =>
    runExecution(
      {
        mailbox,
        actors,
        leases,
        gate,
        output,
        clock,
        log,
        checkpoint: parts.checkpoint,
        leaving: leaving.signal,
        settings: {
          limits: siteLimits(config),
          notAfterMs: config.executions.notAfterMs,
          startFailures: config.executions.startFailures,
          apiServer: config.service.containerUrl || parts.apiServer || config.service.publicUrl,
        },
      },
      entry,
      claimed,
      actor,
    );
  const nextWorkerId = (): string => services.ids.next();
  const recovery = createRecovery({
    actors,
    mailbox,
    launchers,
    run,
    nextWorkerId,
    log,
    leaving: leaving.signal,
    leaseMs: config.workers.leaseMs,
  });
  const supervisor = createSupervisor({
    actors,
    mailbox,
    workers,
    launchers,
    gate,
    recovery,
    news,
    run,
    nextWorkerId,
    log,
    preparation: createActorPreparation({ actors, log, leaving: leaving.signal }),
    settings: {
      hostId: config.workers.hostId,
      perActor: config.workers.perActor,
      perHost: config.workers.perHost,
      leaseMs: config.workers.leaseMs,
      sweepMs: config.workers.sweepMs,
      defaultLauncher: config.service.defaultLauncher,
      queues: config.queues,
    },
  });
  return supervisor;
}

function siteLimits(config: Config): Parameters<typeof runExecution>[0]['settings']['limits'] {
  const { limits, executions } = config;
  return {
    memoryBytes: limits.memoryBytes ?? undefined,
    nanoCpus: limits.nanoCpus ?? undefined,
    pids: limits.pids ?? undefined,
    maxRunTimeMs: executions.maxRunTimeMs ?? undefined,
    graceMs: executions.graceMs,
    logBytes: config.logs.maxBytes,
    resultBytes: config.results.maxBytes,
  };
}
