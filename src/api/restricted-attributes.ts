/** Attributes of an actor that cost or endanger others, and who may set them (contract §5.5). */

import type { Caller } from '../auth/caller.ts';
import { isPrivileged } from '../auth/roles.ts';
import type { Config } from '../config/schema.ts';
import { ForbiddenError } from '../errors.ts';
import { isTruthy } from './request-fields.ts';
import type { ActorRequest } from './schemas/actor.ts';

type Queues = Readonly<Record<string, Pick<Config['queues'][string], 'launcher' | 'who'>>>;

/** With the contract's words for what setting it would be. */
const restricted = [
  ['privileged', 'make privileged actors'],
  ['max_workers', 'set max workers'],
  ['max_cpus', 'set max CPUs'],
  ['mem_limit', 'set mem limit'],
  ['use_container_uid', 'use container uid'],
] as const;

/** Throws `ForbiddenError` at the first attribute that is not the caller's to set. */
export function checkRestricted(
  request: ActorRequest,
  { roles, execution }: Caller,
  { queues }: { readonly queues: Queues },
): void {
  if (isPrivileged(roles)) return;
  const doing =
    restricted.find(([name]) => isTruthy(request[name]))?.[1] ??
    (isOpenQueue(request.queue, queues) ? undefined : 'set queue') ??
    (isOpenLauncher(request.launcher, queues) ? undefined : 'set launcher');
  if (doing === undefined) return;
  const rule = `Not authorized -- only admins and privileged users can ${doing}.`;
  throw new ForbiddenError('request.forbidden', execution ? `${rule} The token of an execution is neither` : rule);
}

/** One that is not there is for another rule to refuse. */
function isOpenQueue(name: string | undefined, queues: Queues): boolean {
  return !name || (queues[name]?.who ?? 'user') === 'user';
}

/** A launcher is no way round its queues. */
function isOpenLauncher(name: string | null | undefined, queues: Queues): boolean {
  return !name || Object.values(queues).some((queue) => queue.who === 'user' && queue.launcher === name);
}
