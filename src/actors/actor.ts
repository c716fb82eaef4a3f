/** A registered image with its settings, state and mailbox. */

import type { Wait } from '../executions/execution.ts';
import type { Mount } from '../launcher/launcher.ts';
import type { Resources } from '../launcher/resources.ts';

/** Lower case of the contract's words; `api/wire.ts` writes them as clients know them. */
export type ActorStatus = 'submitted' | 'ready' | 'error' | 'shutting_down';

/** What its owner sets. */
export interface ActorSettings {
  readonly name: string | null;
  readonly image: string;
  readonly description: string;
  readonly stateless: boolean;
  readonly type: string;
  readonly link: string;
  readonly webhook: string;
  /** Text where it came from the configuration, boolean where the user said it (contract §7.1). */
  readonly token: boolean | string;
  readonly hints: readonly string[];
  readonly privileged: boolean;
  readonly maxWorkers: number | null;
  readonly memLimit: string | null;
  readonly maxCpus: number | null;
  readonly useContainerUid: boolean;
  readonly defaultEnvironment: Readonly<Record<string, unknown>>;
  readonly queue: string;
  /** When to send a message by itself, as its owner wrote it (`schedule.ts`). */
  readonly cronSchedule: string | null;
  readonly cronOn: boolean;
  /** Seconds to keep logs. */
  readonly logEx: number | null;
  /** Name of a launcher in the configuration; null takes the queue's, else the default. */
  readonly launcher: string | null;
  /** What it asks of whatever runs it; empty leaves all of it to others. */
  readonly resources: Resources;
  /** Run directories stay for a while after the end, where the launcher keeps them for their user. */
  readonly keepScratch?: boolean;
}

export interface Actor extends ActorSettings {
  readonly tenant: string;
  readonly id: string;
  readonly owner: string;
  /** Counts image changes; 1 at first. */
  readonly revision: number;
  readonly status: ActorStatus;
  readonly statusMessage: string;
  /** When the schedule is due next: as it was written at first, later `Y-M-D H`. */
  readonly cronNextEx: string | null;
  readonly mounts: readonly Mount[];
  readonly uid: string | null;
  readonly gid: string | null;
  /** Supplementary groups, where a directory tells them. */
  readonly groups: readonly number[];
  readonly tasdir: string | null;
  readonly createTime: Date;
  readonly lastUpdateTime: Date;
  /** The digest this revision runs, once the supervisor has pinned it. Messages wait for it. */
  readonly digest?: string;
  /** Counts changes of all this. */
  readonly version: number;
  /** Counts changes of the state, which is kept beside this. */
  readonly stateVersion: number;
  /** Why its messages wait, when something other than a free worker is missing. */
  readonly wait?: Wait;
}

/**
 * How many messages of an actor may run at once: one where order and state matter, else its own or the given limit, or
 * as many as workers were asked for.
 */
export function concurrencyOf(
  actor: Pick<Actor, 'stateless' | 'maxWorkers'>,
  { workersPerActor, wanted }: { readonly workersPerActor: number; readonly wanted: number },
): number {
  if (!actor.stateless) return 1;
  return Math.max(actor.maxWorkers ?? workersPerActor, wanted);
}
