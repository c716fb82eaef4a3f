/** What is whose: until permissions are shared, an actor is its owner's, and the administrator's. */

import type { Actor } from '../actors/actor.ts';
import { ForbiddenError } from '../errors.ts';
import type { Caller } from './caller.ts';
import { isAdmin } from './roles.ts';

type Asking = Pick<Caller, 'user' | 'roles'>;

export function mayUse(caller: Asking, actor: Pick<Actor, 'owner'>): boolean {
  return isAdmin(caller.roles) || caller.user === actor.owner;
}

/** The owner an actor has to have for this caller; nothing when any will do. */
export function ownerFor(caller: Asking): string | undefined {
  return isAdmin(caller.roles) ? undefined : caller.user;
}

export function noAccess(): ForbiddenError {
  return new ForbiddenError('request.forbidden', 'Not authorized -- you do not have access to this actor.');
}
