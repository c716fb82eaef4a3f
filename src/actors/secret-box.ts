/**
 * Values of secret configs at rest: `abaco-secret-v1:<key>:<sealed>`, where the second part says by which key, and the
 * tenant and the config's name are authenticated with it. Nobody is shown such a text: what stands for a secret in answers
 * is the digest of it, which is another one after each writing, the same value's too; only what is sealed anew for another
 * key keeps it.
 */

import { createHash } from 'node:crypto';
import { InvalidError, UnavailableError } from '../errors.ts';
import { seal, unseal } from '../lib/seal.ts';

export interface SecretBox {
  /** @throws InvalidError `secret.no_key` where the service has no key. */
  seal(tenant: string, name: string, value: string): string;
  /** @throws UnavailableError `secret.unreadable`: what needs it waits until the key is back. */
  open(tenant: string, name: string, sealed: string): string;
  /** Whether it is under the key that seals now. */
  isNewest(sealed: string): boolean;
}

const version = 'abaco-secret-v1';

const help = 'its operator sets secrets.key_file';

/** @param keys the first seals, all of them open. */
export function createSecretBox(keys: readonly Buffer[]): SecretBox {
  const [newest] = keys;
  const byName = new Map(keys.map((key) => [nameOfKey(key), key]));
  return {
    seal(tenant, name, value) {
      if (!newest) {
        throw new InvalidError('secret.no_key', `Secret "${name}" cannot be kept: this service has no key; ${help}`);
      }
      return `${version}:${nameOfKey(newest)}:${seal(newest, [version, tenant, name], value)}`;
    },
    open(tenant, name, sealed) {
      const [head, keyName = '', body = ''] = sealed.split(':');
      const key = byName.get(keyName);
      if (head !== version || !key)
        throw unreadable(name, `this service does not have the key "${keyName}" it is under`);
      const value = unseal(key, [version, tenant, name], body);
      if (value === undefined) throw unreadable(name, 'what is kept of it was changed');
      return value;
    },
    isNewest: (sealed) => newest !== undefined && sealed.startsWith(`${version}:${nameOfKey(newest)}:`),
  };
}

/** What answers show in place of a secret. */
export function standInFor(sealed: string): string {
  return `abaco-secret:${createHash('sha256').update(sealed).digest('hex').slice(0, 32)}`;
}

/** Tells keys apart, and nothing of them. */
function nameOfKey(key: Buffer): string {
  return createHash('sha256').update('abaco-secret-key\0').update(key).digest('hex').slice(0, 16);
}

function unreadable(name: string, why: string): UnavailableError {
  return new UnavailableError('secret.unreadable', `Secret "${name}" does not open: ${why}`, {
    next: 'The operator puts the key into secrets.key_file or secrets.old_key_files, or somebody gives the secret anew',
  });
}
