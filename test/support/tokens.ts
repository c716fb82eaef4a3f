/** Tokens as a gateway would sign them, by keys made for one test run. */

import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

export interface TestKey {
  readonly privateKey: KeyObject;
  /** PEM. */
  readonly publicPem: string;
  readonly privatePem: string;
}

export function makeTestKey(bits = 2048): TestKey {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: bits });
  return {
    privateKey,
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

export interface TokenParts {
  readonly header?: object;
  readonly claims: object;
  /** How the parts are written; WSO2 pads them and uses the characters of standard base64. */
  readonly encoding?: 'base64url' | 'base64';
}

export function signToken(
  key: KeyObject,
  { header = { alg: 'RS256' }, claims, encoding = 'base64url' }: TokenParts,
): string {
  const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString(encoding)).join('.');
  return `${signed}.${sign('sha256', Buffer.from(signed), key).toString(encoding)}`;
}

/** Claims of `user`, good until `exp`, in the gateway's spelling. */
export function claimsOf(user: string, more: object = {}): object {
  return { 'http://wso2.org/claims/enduser': user, exp: Math.floor(Date.now() / 1_000) + 600, ...more };
}
