/**
 * Identifiers as the contract has them (§4): Hashids of one integer. Ours is made of time (41 bits of ms since 2020),
 * a process number leased in Redis (10 bits) and a sequence (12 bits), so no two processes ever make the same one.
 */

import Hashids from 'hashids';
import type { Clock } from './clock.ts';

const hashids = new Hashids('eJa5wZlEX4eWU');

/** 2020-01-01: 41 bits of milliseconds last until 2089. */
const epochMs = Date.UTC(2020, 0, 1);
const sequenceBits = 12n;
const processBits = 10n;
const maxSequence = (1n << sequenceBits) - 1n;

export const processNumbers = 1 << Number(processBits);

export function encodeId(integer: bigint): string {
  return hashids.encode(integer);
}

/** @returns nothing when the text is not exactly what encoding some integer gives. */
export function decodeId(text: string): bigint | undefined {
  // Hashids ids hold only these; anything else would be thrown out with an exception.
  if (!/^[A-Za-z0-9]+$/.test(text)) return undefined;
  const [value] = hashids.decode(text);
  return value === undefined ? undefined : BigInt(value);
}

/** Ids decoded before: decoding costs as much as all else that a request asks of its path. */
const decoded = new Set<string>();
const mostDecoded = 4_096;

/** Decides whether a path segment is an id or an alias. */
export function isId(text: string): boolean {
  if (decoded.has(text)) return true;
  if (decodeId(text) === undefined) return false;
  if (decoded.size === mostDecoded) decoded.clear();
  decoded.add(text);
  return true;
}

export interface IdSource {
  /** Throws when this process holds no process number. */
  next(): string;
}

/** @param processNumber throws when there is none. */
export function createIdSource(options: { readonly processNumber: () => number; readonly clock: Clock }): IdSource {
  let lastMs = 0;
  let sequence = 0n;
  return {
    next() {
      const process = BigInt(options.processNumber());
      const nowMs = options.clock.now().getTime() - epochMs;
      // Never back, also when the clock is; a full sequence borrows from the next millisecond.
      if (nowMs > lastMs) {
        lastMs = nowMs;
        sequence = 0n;
      } else if (sequence === maxSequence) {
        lastMs += 1;
        sequence = 0n;
      } else {
        sequence += 1n;
      }
      return encodeId((((BigInt(lastMs) << processBits) | process) << sequenceBits) | sequence);
    },
  };
}
