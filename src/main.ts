/**
 * The composition root: builds values in order and hands each one what it needs. The only file that imports `launchers/`.
 *
 * Start: storage → launchers (probe, report, go on) → recovery and supervisor → listen. Stop runs the same backwards.
 */

import { type Cluster, createCluster } from '../launchers/host/cluster.ts';
import { isHostOptions } from '../launchers/host/host-options.ts';
import { launcherKinds } from '../launchers/index.ts';
import { listenApi } from './api/listen.ts';
import { describeForSearch } from './api/search-fields.ts';
import type { Services } from './api/services.ts';
import { createIdentities } from './auth/identities.ts';
import { createRunAsPlanner } from './auth/run-as.ts';
import {
  composeLaunchers,
  launcherDirectory,
  openAll,
  type ProbedLauncher,
  probeAll,
  readKind,
  withLauncherOf,
} from './compose-launchers.ts';
import { composeStorage, type Storage } from './compose-storage.ts';
import { composeSupervisor } from './compose-supervisor.ts';
import type { LoadedConfig } from './config/load.ts';
import type { Config } from './config/schema.ts';
import { tenantSettings } from './config/tenant-settings.ts';
import { UnavailableError } from './errors.ts';
import { logExpiresAt } from './history/log-expiry.ts';
import { createOutbox, type Outbox } from './history/outbox.ts';
import type { Launcher } from './launcher/launcher.ts';
import { bridgeAddress } from './lib/bridge-address.ts';
import { systemClock } from './lib/clock.ts';
import { type Closers, createClosers } from './lib/closers.ts';
import { createAuditLog } from './observability/audit-log.ts';
import type { Logger } from './observability/logger.ts';
import { createMetrics, type Metrics } from './observability/metrics.ts';
import { createLauncherGate } from './workers/launcher-gate.ts';
import type { Supervisor } from './workers/supervisor.ts';

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
  const { roles, log, loaded, version } = options;
  const { config } = loaded;
  const checkpoint = options.checkpoint ?? (async () => undefined);
  const { mark, onReconnect, ...storage } = await composeStorage({ loaded, log, version, alone: roles.alone }, closers);
  const launchers = await composeLaunchers(
    { loaded, log, kinds: launcherKinds },
    { installationId: mark.installationId, checkpoint },
    closers,
  );
  const leaving = new AbortController();
  let supervisor: Supervisor | undefined;
  const lookAgain = (): void =>
    void supervisor?.sweep().catch((thrown: unknown) => log.debug({ err: thrown }, 'sweep failed; it is repeated'));
  const gate = createLauncherGate({
    log,
    leaving: leaving.signal,
    onChange: (_entry, wait) => (wait ? undefined : lookAgain()),
  });
  // Promise 10: what a server that comes back has kept is not taken on trust.
  onReconnect(() => {
    for (const entry of launchers.entries) gate.close(entry, redisWasAway());
  });

  const metrics = composeMetrics(storage);
  const outbox = composeOutbox(storage, metrics, config, log);
  const audit = createAuditLog({ file: config.audit.file, log });
  closers.add('audit', () => audit.close());
  const services: Services = {
    ...storage,
    outbox,
    metrics,
    audit,
    config,
    launchers,
    launcherWait: (name) => gate.waitOf(name),
    log,
    clock: systemClock,
    runAs: createRunAsPlanner({ config, launchers, identities: createIdentities(config, systemClock) }),
  };
  const api = roles.api ? await listenApi(services, bridgeAddress) : undefined;
  if (api) closers.add('api', () => api.close());
  outbox.start();
  closers.add('outbox', () => outbox.stop());
  if (roles.supervisor) {
    supervisor = composeSupervisor({ services, gate, checkpoint, leaving: leaving.signal, closers, api });
  }
  closers.add('supervisor', async () => {
    leaving.abort();
    await supervisor?.stop();
  });
  await supervisor?.start();
  const addresses = api ? [api.url] : [];
  log.info({ addresses, installationId: mark.installationId }, 'service started');

  const { health } = storage;
  return {
    addresses,
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

const redisWasAway = (): UnavailableError =>
  new UnavailableError('launcher.unavailable', 'Redis was away; the launcher is looked at again first');

type Stores = Omit<Storage, 'mark' | 'onReconnect'>;

function composeMetrics({ actors, mailbox, workers }: Stores): Metrics {
  return createMetrics({
    actors: async () => (await actors.count()).current,
    workers: async () => await workers.all(),
    async mailboxes() {
      const refs = await actors.refs();
      const depths = await Promise.all(refs.map(async (ref) => ({ ...ref, waiting: await mailbox.depth(ref) })));
      return depths.filter(({ waiting }) => waiting > 0);
    },
  });
}

function composeOutbox(storage: Stores, metrics: Metrics, config: Config, log: Logger): Outbox {
  return createOutbox({
    ...storage,
    log,
    onEnded: ({ launcher = 'none', end = 'exited' }) => metrics.countEnd({ launcher, outcome: end }),
    describe: describeForSearch,
    batch: config.history.batch,
    intervalMs: config.history.intervalMs,
    logExpiresAt: async (actor, ended) => {
      const found = await storage.actors.get(actor.tenant, actor.actorId);
      const { logKeepMs, logKeepLimitMs } = tenantSettings(config, actor.tenant);
      return logExpiresAt(ended, found?.logEx ?? null, {
        defaultSeconds: (logKeepMs ?? 0) / 1_000,
        limitSeconds: (logKeepLimitMs ?? 0) / 1_000,
      });
    },
  });
}

/** The clusters that launchers of the configuration reach, for the commands of their operator. Nothing is connected. */
export function readClusters(loaded: LoadedConfig): readonly Cluster[] {
  return Object.keys(loaded.config.launchers).flatMap((name) => {
    const { options } = readKind({ loaded, kinds: launcherKinds }, name);
    return isHostOptions(options) ? [createCluster(name, options, launcherDirectory(loaded, name))] : [];
  });
}

export { serveAgent } from '../launchers/host/agent/serve-agent.ts';
export type { Cluster } from '../launchers/host/cluster.ts';

/** What each configured launcher says of itself, without a service around it. */
export async function probeLaunchers(loaded: LoadedConfig, log: Logger): Promise<readonly ProbedLauncher[]> {
  return await probeAll({ loaded, log, kinds: launcherKinds });
}

/** The configured launchers, without a service around them; whoever opens them closes them. */
export async function openLaunchers(
  loaded: LoadedConfig,
  log: Logger,
  installationId: string,
): Promise<readonly Launcher[]> {
  return await openAll({ loaded, log, kinds: launcherKinds }, installationId);
}

/** One configured launcher for a moment, without a service around it. */
export async function withLauncher<T>(
  options: { readonly loaded: LoadedConfig; readonly log: Logger; readonly name: string },
  look: (launcher: Launcher) => Promise<T>,
): Promise<T> {
  return await withLauncherOf({ ...options, kinds: launcherKinds }, look);
}
