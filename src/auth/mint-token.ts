/** Tokens by a tenant's development key, for trying things out; a real tenant's gateway makes its own. */

import type { KeyObject } from 'node:crypto';
import { SignJWT } from 'jose';
import { InvalidError } from '../errors.ts';
import { roleClaim, userClaim } from './jwt.ts';
import { assumedRole } from './roles.ts';

export interface MintRequest {
  readonly user: string;
  /** In addition to the one everybody has. */
  readonly roles: readonly string[];
  readonly ttlMs: number;
  readonly now: Date;
}

export async function mintToken(key: KeyObject, { user, roles, ttlMs, now }: MintRequest): Promise<string> {
  if (!/^[^@\p{Cc}\p{Cs}]{1,255}$/u.test(user)) {
    throw new InvalidError('request.invalid', `User ${JSON.stringify(user)} is no name: 1 to 255 characters without @`);
  }
  const wrong = roles.find((role) => role === '' || role.includes(','));
  if (wrong !== undefined) throw new InvalidError('request.invalid', `Role ${JSON.stringify(wrong)} is no name`);
  const seconds = Math.floor(now.getTime() / 1_000);
  return await new SignJWT({ [userClaim]: user, [roleClaim]: [assumedRole, ...roles].join(',') })
    .setProtectedHeader({ alg: 'RS256', typ: 'JWT' })
    .setSubject(user)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + Math.ceil(ttlMs / 1_000))
    .sign(key);
}
