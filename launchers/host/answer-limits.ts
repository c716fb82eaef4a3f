/**
 * How long a host may take over one call. Whoever may stop our process there, as its user may, would otherwise hold up all
 * that waits for it; so what is silent for longer is given up, and the next call begins anew.
 */

import { CutOffError, unavailable } from './ssh-connection.ts';

export const usualMs = 120_000;
/** To hash, sync or remove what is large, or many. */
export const longMs = 600_000;

/** @throws CutOffError */
export async function answeredWithin<T>(host: string, limitMs: number, answer: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const reason = `it did not answer a call on files within ${limitMs} ms; it is asked anew when it is next needed`;
  const timer = setTimeout(() => reject(new CutOffError(unavailable(host, reason))), limitMs);
  return await Promise.race([answer, late]).finally(() => clearTimeout(timer));
}
