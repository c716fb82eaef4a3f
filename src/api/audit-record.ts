/** One change as its audit record tells it: who, as whom, from where, what, before and after, nothing that is secret. */

import type { Caller } from '../auth/caller.ts';
import { optional } from '../lib/optional.ts';

export interface Change {
  readonly time: Date;
  readonly caller: Caller;
  readonly from: string;
  readonly requestId: string;
  readonly method: string;
  /** As the API describes it: `/actors/:actor_id`. */
  readonly route: string;
  readonly operation: string;
  readonly params: Readonly<Record<string, string>>;
  readonly status: number;
  readonly before?: unknown;
  readonly after?: unknown;
}

const hidden = '[hidden]';

/** Credentials, and what users send and keep, which is nobody's to read here. Environments count: they hold passwords. */
const secretName = /secret|passw|token|key|nonce|value|state$|environment|^msg$|message$|webhook/i;

/** Of a nonce its id is the secret. */
const secretId = /\/nonces(\/|$)/;

export function describeChange(change: Change): Readonly<Record<string, unknown>> {
  const { caller, route } = change;
  const isSecret = (name: string): boolean => secretName.test(name) || (name === 'id' && secretId.test(route));
  return {
    time: change.time.toISOString(),
    tenant: caller.tenant,
    user: caller.user,
    by: caller.execution ? 'execution' : caller.nonce ? 'nonce' : 'credential',
    ...optional('actorId', caller.execution?.actorId),
    ...optional('executionId', caller.execution?.executionId),
    ...optional('nonceOf', caller.nonce && `${caller.nonce.object.kind} ${caller.nonce.object.id}`),
    from: change.from,
    requestId: change.requestId,
    operation: change.operation,
    request: `${change.method} ${route}`,
    params: mask(change.params, isSecret),
    status: change.status,
    ...optional('before', mask(change.before, isSecret)),
    ...optional('after', mask(change.after, isSecret)),
  };
}

function mask(value: unknown, isSecret: (name: string) => boolean): unknown {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map((item) => mask(item, isSecret));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => name !== '_links')
      .map(([name, member]) => [name, isSecret(name) && isTold(member) ? hidden : mask(member, isSecret)]),
  );
}

/** Whether something was set says as much as it may. */
function isTold(value: unknown): boolean {
  return value !== null && value !== undefined && value !== '' && typeof value !== 'boolean';
}
