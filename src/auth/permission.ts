/** What users may do with one thing: four levels, each of which holds those before it (contract §5.4). */

export const permissions = ['NONE', 'READ', 'EXECUTE', 'UPDATE'] as const;

export type Permission = (typeof permissions)[number];

/** A user name that stands for everybody of the tenant. */
export const worldUser = 'ABACO_WORLD';

/** What has permissions of its own. */
export type ObjectKind = 'actor' | 'alias' | 'config';

/** One thing that has permissions and nonces: an actor by its id, an alias or a config by its name. */
export interface ObjectRef {
  readonly kind: ObjectKind;
  readonly tenant: string;
  readonly id: string;
}

/** What the map of one thing says of a user, and of everybody. */
export interface Grants {
  readonly own: Permission | undefined;
  readonly world: Permission | undefined;
}

export function isPermission(text: string): text is Permission {
  return (permissions as readonly string[]).includes(text);
}

export function permits(have: Permission, need: Permission): boolean {
  return rankOf(have) >= rankOf(need);
}

/** The number a level is kept as, so that scripts can compare. */
export function rankOf(permission: Permission): number {
  return permissions.indexOf(permission);
}

export function permissionOfRank(rank: number): Permission {
  return permissions[rank] ?? 'NONE';
}

export function least(one: Permission, other: Permission): Permission {
  return permits(one, other) ? other : one;
}

/**
 * What counts: the larger of own and world. An owner of whom the map says nothing has all, since maps are younger than
 * actors; `post.lua` says the same.
 */
export function effectivePermission({ own, world }: Grants, isOwner: boolean): Permission {
  const granted = own ?? (isOwner ? 'UPDATE' : 'NONE');
  return world !== undefined && permits(world, granted) ? world : granted;
}
