/**
 * Who may do what with whose actor, alias or config (contract §5.4): one pure decision, whose table is a test. Routes ask
 * it through `api/find-actor.ts`, `api/find-alias.ts` and `api/find-config.ts`; `post.lua` and `post-many.lua` repeat its
 * rule for messages, so that sending costs one step.
 */

import { ForbiddenError } from '../errors.ts';
import { least, type ObjectKind, type Permission, permits } from './permission.ts';
import { isAdmin } from './roles.ts';

/**
 * `list` shows it among others, `name` makes an alias of it: for both the map alone counts, also for administrators.
 * `staff` asks for workers, which only they may.
 */
export type Verb = 'read' | 'execute' | 'update' | 'list' | 'name' | 'staff';

export interface AccessObject {
  readonly kind: ObjectKind;
  /** What the caller has on it by its map. */
  readonly permission: Permission;
  /** Of an alias, where the actor behind it counts too: what the caller has on that. */
  readonly behind?: Permission;
}

interface Asking {
  readonly roles: readonly string[];
}

const needOf: Readonly<Record<Exclude<Verb, 'staff'>, Permission>> = {
  read: 'READ',
  execute: 'EXECUTE',
  update: 'UPDATE',
  list: 'READ',
  name: 'UPDATE',
};

/** @returns the refusal in the contract's words; nothing when the caller may. */
export function decideAccess({ roles }: Asking, object: AccessObject, verb: Verb): ForbiddenError | undefined {
  if (verb === 'staff') {
    if (isAdmin(roles)) return undefined;
    return forbidden('Not authorized -- only admins are authorized to update workers.');
  }
  const byMapAlone = verb === 'list' || verb === 'name';
  if (isAdmin(roles) && !byMapAlone) return undefined;
  const have = least(object.permission, object.behind ?? object.permission);
  if (permits(have, needOf[verb])) return undefined;
  if (object.kind === 'config') return forbidden('You do not have sufficient access to this actor config.');
  const what = object.behind === undefined ? object.kind : `${object.kind} and actor`;
  return noAccess(what);
}

/** Whether the caller may change an actor; who came in by a nonce may do no more than that is good for. */
export function mayUpdate(
  { roles, nonce }: Asking & { readonly nonce?: { readonly level: Permission } },
  permission: Permission,
): boolean {
  if (nonce && !permits(nonce.level, 'UPDATE')) return false;
  return decideAccess({ roles }, { kind: 'actor', permission }, 'update') === undefined;
}

export function noAccess(what: string): ForbiddenError {
  return forbidden(`Not authorized -- you do not have access to this ${what}.`);
}

const postRoutes: readonly string[] = ['/actors/:actor_id/messages', '/actors/:actor_id/messages/batch'];

/** What a request wants to do with the thing its path names; `route` is the pattern, as it was registered. */
export function verbOf(method: string, route: string): Verb {
  if (method === 'GET' || method === 'HEAD') return 'read';
  if (method === 'POST' && postRoutes.includes(route)) return 'execute';
  if (method === 'POST' && route === '/actors/:actor_id/workers') return 'staff';
  return 'update';
}

/** What a nonce has to be good for. */
export function permissionFor(verb: Verb): Permission {
  return verb === 'staff' ? 'UPDATE' : needOf[verb];
}

/** Paths with the text "admin" are the administrators', whatever they are paths of. */
export function refuseAdminPath({ roles }: Asking, segments: readonly string[]): ForbiddenError | undefined {
  if (isAdmin(roles) || !segments.some((segment) => segment.includes('admin'))) return undefined;
  return forbidden('Abaco Admin role required.');
}

function forbidden(message: string): ForbiddenError {
  return new ForbiddenError('request.forbidden', message);
}
