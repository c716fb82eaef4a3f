/** RSA keys as people write them down: PEM, or the bare base64 of their DER. */

import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

/**
 * A public key: PEM of any kind that holds one (a certificate too), or the base64 of a DER SubjectPublicKeyInfo.
 * Throws an `Error` whose message says what the text is not.
 */
export function readRsaPublicKey(text: string): KeyObject {
  const key = attempt('public', () =>
    text.includes('-----BEGIN')
      ? createPublicKey(text)
      : createPublicKey({ key: Buffer.from(text, 'base64'), format: 'der', type: 'spki' }),
  );
  return checkRsa(key);
}

/** A private key in PEM. Throws an `Error` whose message says what the text is not, and nothing of the text. */
export function readRsaPrivateKey(text: string): KeyObject {
  return checkRsa(attempt('private', () => createPrivateKey(text)));
}

/** The same for two writings of one key. */
export function keyFingerprint(key: KeyObject): string {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return publicKey.export({ format: 'der', type: 'spki' }).toString('base64');
}

function attempt(kind: 'public' | 'private', read: () => KeyObject): KeyObject {
  try {
    return read();
  } catch {
    // OpenSSL's reason names its own source lines, which help nobody.
    throw new Error(`is no ${kind} key in PEM${kind === 'public' ? ', nor the base64 of one in DER' : ''}`);
  }
}

const leastBits = 2_048;

function checkRsa(key: KeyObject): KeyObject {
  if (key.asymmetricKeyType !== 'rsa')
    throw new Error(`is a key of type ${key.asymmetricKeyType ?? 'unknown'}, not RSA`);
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (bits < leastBits) throw new Error(`is an RSA key of ${bits} bits; ${leastBits} is the least`);
  return key;
}
