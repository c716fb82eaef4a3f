/** The worker side of the service: gate, leases, output, recovery and the supervisor that drives them. */

import type { ListeningApi } from './api/listen.ts';
import type { Services } from './api/services.ts';
import { createTenants } from './auth/tenants.ts';
import { createEventDelivery, type EventCheckPoint, type EventDelivery } from './events/delivery.ts';
import { postWebhook } from './events/webhook.ts';
import { bridgeAddress } from './lib/bridge-address.ts';
import type { Closers } from './lib/closers.ts';
import { createLookUp } from './lib/look-up.ts';
import { createActorPreparation } from './workers/actor-preparation.ts';
import { mayReach, planContainerUrl } from './workers/container-url.ts';
import { createLateBooks } from './workers/late-books.ts';
import { siteLimits } from './workers/launch-spec.ts';
import type { LauncherGate } from './workers/launcher-gate.ts';
import { createLeaseKeeper } from './workers/lease-keeper.ts';
import { createOutputCollector } from './workers/output-collector.ts';
import { createRecovery } from './workers/recovery.ts';
import type { CheckPoint } from './workers/run-context.ts';
import { runExecution } from './workers/run-execution.ts';
import { createScheduler, type ScheduleCheckPoint } from './workers/scheduler.ts';
import { createSupervisor, type Supervisor } from './workers/supervisor.ts';

export interface SupervisorParts {
  readonly services: Services;
  readonly gate: LauncherGate;
  readonly checkpoint: (point: CheckPoint | EventCheckPoint | ScheduleCheckPoint) => Promise<void>;
  readonly leaving: AbortSignal;
  readonly closers: Closers;
  /** Of this process, where it has one. */
  readonly api: ListeningApi | undefined;
}

export function composeSupervisor(parts: SupervisorParts): Supervisor {
  const { services, gate, closers, leaving } = parts;
  const { config, actors, mailbox, news, blobs, workers, launchers, log, clock } = services;
  const onError = (thrown: unknown): void => log.debug({ err: thrown }, 'background step failed; it is repeated');
  const tenants = createTenants(config.tenants, config.auth);
  const containerUrl: ContainerUrl = (tenant, bridge, elsewhere) =>
    planContainerUrl({ ...config.service, tenant, ours: parts.api, bridge, elsewhere });
  warnOfUnreachable(services, containerUrl);
  const leases = createLeaseKeeper({
    mailbox,
    news,
    onError,
    onLost: services.metrics.countLeaseLost,
    extendEveryMs: config.workers.extendEveryMs,
  });
  closers.add('leases', () => leases.close());
  const output = createOutputCollector({
    blobs,
    mailbox,
    onError,
    pollMs: config.logs.pollMs,
    inlineBytes: config.blobs.inlineBytes,
  });
  const books = createLateBooks({ history: services.history, log, leaving });
  const run: Parameters<typeof createSupervisor>[0]['run'] = (entry, claimed, actor) =>
    runExecution(
      {
        mailbox,
        actors,
        configs: services.configs,
        leases,
        gate,
        output,
        books,
        clock,
        runAs: services.runAs,
        log,
        checkpoint: parts.checkpoint,
        leaving: leaving,
        onLaunched: services.metrics.timeLaunch,
        settings: {
          limits: siteLimits(config),
          queues: config.queues,
          notAfterMs: config.executions.notAfterMs,
          startFailures: config.executions.startFailures,
          valueText: config.compat.valueText,
          failedState: config.compat.failedStatus === 'ERROR' ? 'error' : 'complete',
          apiServerOf: (tenant) =>
            containerUrl(tenants.rule(tenant)?.apiServer, bridgeAddress(), entry.launcher.capabilities.everywhere),
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
    leaving: leaving,
    leaseMs: config.workers.leaseMs,
  });
  return createSupervisor({
    actors,
    mailbox,
    workers,
    launchers,
    gate,
    recovery,
    books,
    schedules: createScheduler({
      actors,
      mailbox,
      nextExecutionId: () => services.ids.next(),
      clock,
      checkpoint: parts.checkpoint,
      log,
    }),
    events: composeEvents(parts),
    news,
    run,
    nextWorkerId,
    log,
    preparation: createActorPreparation({ actors, log, leaving: leaving }),
    settings: {
      hostId: config.workers.hostId,
      perActor: config.workers.perActor,
      maxQueued: config.workers.maxQueued,
      perHost: config.workers.perHost,
      leaseMs: config.workers.leaseMs,
      sweepMs: config.workers.sweepMs,
      defaultLauncher: config.service.defaultLauncher,
      queues: config.queues,
    },
  });
}

type ContainerUrl = (tenant: string | undefined, bridge: string | undefined, elsewhere: boolean) => string;

/** The engine's bridge is of this host: what runs on others reaches only what would be said without it. */
function warnOfUnreachable({ config, launchers, log }: Services, containerUrl: ContainerUrl): void {
  if (config.service.containerUrl !== '') return;
  const elsewhere = launchers.entries.some(({ launcher }) => launcher.capabilities.everywhere);
  const bridge = elsewhere ? undefined : bridgeAddress();
  const tenants = Object.values(config.tenants).map(({ apiServer }) => apiServer);
  const url = (tenants.length > 0 ? tenants : [''])
    .map((each) => containerUrl(each, bridge, elsewhere))
    .find((each) => !mayReach(each));
  if (url === undefined) return;
  log.warn(
    { url },
    'containers that do not share the network of this host cannot reach the API; set service.container_url',
  );
}

function composeEvents({ services, checkpoint, leaving, api }: SupervisorParts): EventDelivery {
  const { config, ids } = services;
  const { allowPrivate, webhookTimeoutMs: timeoutMs } = config.events;
  const tenants = createTenants(config.tenants, config.auth);
  const ownServer = config.service.publicUrl || api?.url || '';
  const rules = { allowPrivate, timeoutMs, lookUp: createLookUp({ allowPrivate }) };
  return createEventDelivery({
    ...services,
    aliasOf: async (tenant, alias) => (await services.aliases.get(tenant, alias))?.actorId,
    post: (post, signal) => postWebhook(post, rules, signal),
    nextExecutionId: () => ids.next(),
    checkpoint,
    leaving,
    settings: { ...config.events, apiServerOf: (tenant) => tenants.rule(tenant)?.apiServer ?? ownServer },
  });
}
