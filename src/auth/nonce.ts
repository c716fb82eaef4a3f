/**
 * Keys of limited use that stand for their owner on one actor or alias (contract §§5.6, 7.12). An id is
 * `TENANT_hashid`, as clients know it by a pattern. The number behind the hash id is random, not a time: who has the id
 * has the nonce, so it must not be guessed.
 */

import { createHash, randomBytes } from 'node:crypto';
import { decodeId, encodeId } from '../lib/ids.ts';
import type { ObjectRef, Permission } from './permission.ts';
import { adminRole, isAdmin, isPrivileged, privilegedRole } from './roles.ts';

export interface Nonce {
  readonly id: string;
  /** What it is good for; nothing else is reached through it. */
  readonly object: ObjectRef;
  /** Who made it, and as whom its bearer acts: with the roles of then. */
  readonly owner: string;
  readonly roles: readonly string[];
  readonly level: Permission;
  /** -1 sets no limit. */
  readonly maxUses: number;
  readonly description: string;
  readonly createTime: Date;
}

export interface CountedNonce extends Nonce {
  readonly uses: number;
  readonly lastUseTime?: Date;
}

/** Uses of a nonce that is never used up. */
export const unlimitedUses = -1;

const randomBytesOfId = 16;

export function createNonceId(tenant: string): string {
  return `${tenant}_${encodeId(BigInt(`0x${randomBytes(randomBytesOfId).toString('hex')}`))}`;
}

/** The tenant an id names: all before its last underscore. Nothing when the text is no such id. */
export function tenantOfNonce(id: string): string | undefined {
  const cut = id.lastIndexOf('_');
  if (cut < 1 || id.length > 255 || decodeId(id.slice(cut + 1)) === undefined) return undefined;
  return id.slice(0, cut).toUpperCase();
}

/** What a nonce is looked up by: how long a comparison takes says nothing of an id of which only this is compared. */
export function digestOfNonce(id: string): string {
  return createHash('sha256').update(id).digest('hex');
}

/** Whether its bearer could do what somebody with these roles cannot, whatever the level. */
export function opensMore({ roles }: Pick<Nonce, 'roles'>, own: readonly string[]): boolean {
  if (roles.includes(adminRole)) return !isAdmin(own);
  return roles.includes(privilegedRole) && !isPrivileged(own);
}

export function remainingUses({ maxUses, uses }: Pick<CountedNonce, 'maxUses' | 'uses'>): number {
  return maxUses === unlimitedUses ? unlimitedUses : Math.max(0, maxUses - uses);
}
