/** What the API stands on; `main.ts` hands it over once. */

import type { ActorStore } from '../actors/actor-store.ts';
import type { AliasStore } from '../actors/alias-store.ts';
import type { ConfigStore } from '../actors/config-store.ts';
import type { AllowanceStore } from '../auth/allowance-store.ts';
import type { NonceStore } from '../auth/nonce-store.ts';
import type { PermissionStore } from '../auth/permission-store.ts';
import type { RunAsPlanner } from '../auth/run-as.ts';
import type { Config } from '../config/schema.ts';
import type { EventStore } from '../events/event-store.ts';
import type { Blobs } from '../executions/blobs.ts';
import type { Wait } from '../executions/execution.ts';
import type { ExecutionStore } from '../executions/execution-store.ts';
import type { History } from '../history/history.ts';
import type { Outbox } from '../history/outbox.ts';
import type { LauncherTable } from '../launcher/launcher-table.ts';
import type { Clock } from '../lib/clock.ts';
import type { IdSource } from '../lib/ids.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { News } from '../mailbox/news.ts';
import type { RoomStore } from '../mailbox/room-store.ts';
import type { AuditLog } from '../observability/audit-log.ts';
import type { Health } from '../observability/health.ts';
import type { Logger } from '../observability/logger.ts';
import type { Metrics } from '../observability/metrics.ts';
import type { WorkerStore } from '../workers/worker-store.ts';

export interface Services {
  readonly config: Config;
  readonly actors: ActorStore;
  readonly aliases: AliasStore;
  readonly allowances: AllowanceStore;
  readonly configs: ConfigStore;
  readonly permissions: PermissionStore;
  readonly nonces: NonceStore;
  readonly mailbox: Mailbox;
  readonly rooms: RoomStore;
  readonly executions: ExecutionStore;
  readonly events: EventStore;
  readonly history: History;
  readonly outbox: Pick<Outbox, 'catchUp'>;
  readonly workers: WorkerStore;
  readonly blobs: Blobs;
  readonly news: News;
  readonly ids: IdSource;
  readonly launchers: LauncherTable;
  readonly health: Health;
  /** Why a launcher takes nothing now, as far as this process knows: the one that supervises meets its failures. */
  readonly launcherWait: (name: string) => Wait | undefined;
  /** Who owners are on file systems, and what their programs see of them. */
  readonly runAs: RunAsPlanner;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Logger;
}
