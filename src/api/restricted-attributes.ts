/** Attributes of an actor that cost or endanger others, and who may set them (contract §5.5). */

import type { Caller } from '../auth/caller.ts';
import { everyRole, isPrivileged } from '../auth/roles.ts';
import type { Config } from '../config/schema.ts';
import { ForbiddenError } from '../errors.ts';
import { isTruthy } from './request-fields.ts';
import type { ActorRequest } from './schemas/actor.ts';

type Queue = Pick<Config['queues'][string], 'launcher' | 'who' | 'tenants'>;
type Queues = Readonly<Record<string, Queue>>;

interface Settings {
  readonly queues: Queues;
  readonly service: Pick<Config['service'], 'defaultLauncher'>;
  readonly auth: Pick<Config['auth'], 'anonymousPrivileged'>;
}

/** With the contract's words for what setting it would be. */
const restricted = [
  ['privileged', 'make privileged actors'],
  ['max_workers', 'set max workers'],
  ['max_cpus', 'set max CPUs'],
  ['mem_limit', 'set mem limit'],
  ['use_container_uid', 'use container uid'],
] as const;

/** Throws `ForbiddenError` at the first attribute that is not the caller's to set. */
export function checkRestricted(request: ActorRequest, caller: Caller, settings: Settings): void {
  const { tenant, roles, execution } = caller;
  const isOwn = ({ tenants }: Queue): boolean => tenants.length === 0 || tenants.includes(tenant);
  const own = Object.fromEntries(Object.entries(settings.queues).filter(([, queue]) => isOwn(queue)));
  const elsewhere = foreignPart(request, own, settings);
  if (elsewhere !== undefined) {
    const rule = `Not authorized -- only users of other tenants can ${elsewhere}.`;
    const names = Object.keys(own).join(', ');
    const known = names === '' ? 'no queue' : `the queues ${names}`;
    throw new ForbiddenError('request.forbidden', `${rule} Tenant "${tenant}" has ${known}`);
  }
  if (roles.includes(everyRole) && !settings.auth.anonymousPrivileged && isTruthy(request.privileged)) {
    throw new ForbiddenError('request.forbidden', `${onlyPrivileged('make privileged actors')} ${notEverybody}`);
  }
  if (isPrivileged(roles)) return;
  const doing =
    restricted.find(([name]) => isTruthy(request[name]))?.[1] ??
    (isOpenQueue(request.queue, own) ? undefined : 'set queue') ??
    (isLauncherOfQueue(request, settings) ? undefined : 'set launcher');
  if (doing === undefined) return;
  const rule = onlyPrivileged(doing);
  throw new ForbiddenError('request.forbidden', execution ? `${rule} The token of an execution is neither` : rule);
}

function onlyPrivileged(doing: string): string {
  return `Not authorized -- only admins and privileged users can ${doing}.`;
}

/** A privileged container has the engine's socket. */
const notEverybody =
  'No token is asked for here, so everybody on this machine could be root by it; set auth.anonymous_privileged = true where they may, or configure a tenant';

/** What setting it would be, where a queue is for other tenants alone, or all queues that have a launcher are. */
function foreignPart(
  { queue, launcher }: ActorRequest,
  own: Queues,
  { queues, service }: Settings,
): string | undefined {
  const name = queue || 'default';
  if (Object.hasOwn(queues, name) && !Object.hasOwn(own, name)) return 'set queue';
  const has = (all: Queues): boolean =>
    Object.values(all).some((one) => (one.launcher || service.defaultLauncher) === launcher);
  return has(queues) && !has(own) ? 'set launcher' : undefined;
}

/** One that is not there is for another rule to refuse. */
function isOpenQueue(name: string | undefined, queues: Queues): boolean {
  return !name || (queues[name]?.who ?? 'user') === 'user';
}

/** A launcher is no way round its queues, nor round what they allow. */
function isLauncherOfQueue({ queue, launcher }: ActorRequest, { queues, service }: Settings): boolean {
  return !launcher || launcher === (queues[queue || 'default']?.launcher || service.defaultLauncher);
}
