/**
 * Signed tokens as gateways send them (contract §5.1): RS256, under that name or WSO2's, in base64url or in standard
 * base64, with the junk that stored ones are known to end with. Checked here and not by a JOSE library, since the
 * signature covers the token as it was written, and no library takes WSO2's writing.
 */

import { type KeyObject, verify } from 'node:crypto';
import { worldUser } from './permission.ts';
import { rolesIn } from './roles.ts';

export interface JwtClaims {
  readonly user: string;
  /** Nothing when the token says nothing of roles. */
  readonly roles: readonly string[] | undefined;
}

export type JwtVerdict = { readonly claims: JwtClaims } | { readonly refusal: string };

export interface JwtRules {
  readonly now: Date;
  /** Whether an expiry that only makes sense in milliseconds is held against the token. */
  readonly millisecondExpiry: boolean;
}

export const userClaim = 'http://wso2.org/claims/enduser';
export const roleClaim = 'http://wso2.org/claims/role';

/** The same signature under two names: PKCS#1 v1.5 over SHA-256. */
const algorithms: readonly unknown[] = ['RS256', 'SHA256withRSA'];

/** Longer ones are nobody's: the head of a request is shorter. */
const longestToken = 64 * 1024;

/** Above it an expiry would lie after the year 5000, so it counts milliseconds. */
const mostSeconds = 1e11;

/** Never throws; a refusal says why in words, and nothing of the token but its times. */
export function readJwt(token: string, key: KeyObject, rules: JwtRules): JwtVerdict {
  if (token.length > longestToken) return { refusal: 'it is too long' };
  const [whole, head = '', body = '', signature = ''] = partsOf(token);
  if (whole === undefined) return { refusal: 'it is not three parts of base64' };
  const header = readPart(head);
  const claims = readPart(body);
  if (!header || !claims) return { refusal: 'its parts are not JSON objects' };
  if (!algorithms.includes(header['alg'])) return { refusal: 'it is not signed with RS256' };
  if (!verify('sha256', Buffer.from(`${head}.${body}`), key, Buffer.from(signature, 'base64'))) {
    return { refusal: "its signature is not by the tenant's key" };
  }
  const late = expiryRefusal(claims['exp'], rules);
  if (late !== undefined) return { refusal: late };
  return readClaims(claims);
}

/** As one expression without alternatives, so that it takes linear time whatever is sent. */
function partsOf(token: string): readonly (string | undefined)[] {
  return /^([\w+/-]+={0,2})\.([\w+/-]+={0,2})\.([\w+/-]+={0,2})(?=$|[^\w+/=.-])/.exec(token.trim()) ?? [];
}

function readPart(base64: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(base64, 'base64').toString());
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

function expiryRefusal(expiry: unknown, { now, millisecondExpiry }: JwtRules): string | undefined {
  if (typeof expiry !== 'number' || !Number.isFinite(expiry)) return 'it does not say when it expires';
  const inMilliseconds = expiry > mostSeconds;
  if (inMilliseconds && !millisecondExpiry) return undefined;
  const expiresMs = inMilliseconds ? expiry : expiry * 1_000;
  if (now.getTime() < expiresMs) return undefined;
  return `it expired at ${new Date(Math.max(expiresMs, 0)).toISOString()}`;
}

function readClaims(claims: Readonly<Record<string, unknown>>): JwtVerdict {
  const endUser = claims[userClaim];
  const user = typeof endUser === 'string' ? (endUser.split('@')[0] ?? '') : '';
  if (user === '') return { refusal: `it has no claim ${userClaim}` };
  if (user.length > 255 || user === worldUser || /[\p{Cc}\p{Cs}]/u.test(user))
    return { refusal: 'the name of its user is no name' };
  const role = claims[roleClaim];
  const roles = typeof role === 'string' && role !== '' ? rolesIn(role) : undefined;
  return { claims: { user, roles } };
}
