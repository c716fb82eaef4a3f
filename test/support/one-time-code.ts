/** What a telephone shows for the second factor of the test cluster (RFC 6238). */

import { createHmac } from 'node:crypto';

/** Of `images/cluster/node/start-login`. */
const secret = Buffer.from('12345678901234567890');

/** @param later - codes after the one of now: each is taken once. */
export function oneTimeCode(later = 0): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + later));
  const hash = createHmac('sha1', secret).update(counter).digest();
  const at = (hash.at(-1) ?? 0) & 0xf;
  return String((hash.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, '0');
}
