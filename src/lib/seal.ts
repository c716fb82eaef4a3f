/**
 * Short texts at rest, encrypted by AES-256-GCM. What a text belongs to is authenticated with it (parts separated by NUL),
 * so that one that was moved to another place does not open there. Each sealing takes a fresh nonce.
 */

import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

export const sealKeyBytes = 32;

const algorithm = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

/** @returns base64 of: nonce, 12 bytes; tag, 16 bytes; the text, encrypted. */
export function seal(key: Buffer, belongsTo: readonly string[], text: string): string {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv(algorithm, key, nonce, { authTagLength: tagBytes }).setAAD(bound(belongsTo));
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
}

/** @returns nothing when it was sealed with another key or for another place, or was changed; never why. */
export function unseal(key: Buffer, belongsTo: readonly string[], sealed: string): string | undefined {
  const bytes = Buffer.from(sealed, 'base64');
  if (bytes.byteLength < nonceBytes + tagBytes) return undefined;
  const nonce = bytes.subarray(0, nonceBytes);
  const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes }).setAAD(bound(belongsTo));
  decipher.setAuthTag(bytes.subarray(nonceBytes, nonceBytes + tagBytes));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(nonceBytes + tagBytes)), decipher.final()]).toString('utf8');
  } catch {
    // Nothing of what was thrown is passed on: all it could add is what nobody should see.
    return undefined;
  }
}

/** The key a file holds: 32 bytes, as they are or in base64; nothing when it holds anything else. */
export function readSealKey(content: Buffer): Buffer | undefined {
  if (content.byteLength === sealKeyBytes) return content;
  const text = content.toString('latin1').trim();
  const bytes = Buffer.from(text, 'base64');
  return /^[A-Za-z0-9+/]{43}=?$/.test(text) && bytes.byteLength === sealKeyBytes ? bytes : undefined;
}

function bound(belongsTo: readonly string[]): Buffer {
  return Buffer.from(belongsTo.join('\0'));
}
