/** What a role allows (contract §5.3). */

/** Given to everyone of a tenant that asks for no credential. */
export const everyRole = 'ALL';

export const adminRole = 'Internal/abaco-admin';
export const privilegedRole = 'Internal/abaco-privileged';
const limitedRole = 'Internal/abaco-limited';

/** Of a token that tells none. */
export const assumedRole = 'Internal/everyone';

type Roles = readonly string[];

/** Roles as a claim lists them. The one that only the service itself gives is nobody's to claim. */
export function rolesIn(claim: string): Roles {
  return claim
    .split(',')
    .map((role) => role.trim())
    .filter((role) => role !== '' && role !== everyRole);
}

/** Passes every check of permissions. */
export function isAdmin(roles: Roles): boolean {
  return roles.includes(everyRole) || roles.includes(adminRole);
}

/** May set what costs or endangers others: limits, queues, privileged containers. */
export function isPrivileged(roles: Roles): boolean {
  return isAdmin(roles) || roles.includes(privilegedRole);
}

/** Whether any of them lets its holder in at all; `userRole` is the tenant's own name for that. */
export function isMember(roles: Roles, userRole: string): boolean {
  return isPrivileged(roles) || roles.includes(limitedRole) || roles.includes(userRole);
}
