/**
 * Under which names an actor, and what is its, is found by searches: `decideAccess` for READ as a question that the history
 * answers for many at once.
 */

import type { Caller } from './caller.ts';
import { type Permission, permits, worldUser } from './permission.ts';
import { isAdmin } from './roles.ts';

/** All who may read it, `ABACO_WORLD` among them; an owner of whom the map says nothing is one. */
export function readersOf(
  { owner }: { readonly owner: string },
  grants: ReadonlyMap<string, Permission>,
): readonly string[] {
  const levels = new Map<string, Permission>([[owner, 'UPDATE'], ...grants]);
  return [...levels].filter(([, level]) => permits(level, 'READ')).map(([name]) => name);
}

/** The names a caller reads under; nothing when everything of the tenant is shown. */
export function readingAs({ roles, user }: Pick<Caller, 'user' | 'roles'>): readonly string[] | undefined {
  return isAdmin(roles) ? undefined : [user, worldUser];
}
