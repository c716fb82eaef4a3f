/** Takes the data directory it is told, at the moment it is told, several times at once; keeps what it got until it is killed. */

import { setTimeout as pause } from 'node:timers/promises';
import { type DataDirLock, lockDataDir } from '../../src/storage/data-dir-lock.ts';

export interface TakeOrder {
  readonly dataDir: string;
  readonly atMs: number;
  readonly calls: number;
}

export interface TakeAnswer {
  readonly held: number;
  /** Of all others, that of the refusal. */
  readonly codes: readonly unknown[];
}

const held: DataDirLock[] = [];

process.on('message', ({ dataDir, atMs, calls }: TakeOrder) => {
  void take(dataDir, atMs, calls).then((answer) => process.send?.(answer));
});
process.send?.('ready');

async function take(dataDir: string, atMs: number, calls: number): Promise<TakeAnswer> {
  await pause(Math.max(0, atMs - Date.now()));
  const outcomes = await Promise.allSettled(Array.from({ length: calls }, async () => lockDataDir(dataDir)));
  const mine = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  held.push(...mine);
  const codes = outcomes.flatMap((outcome) =>
    outcome.status === 'rejected' ? [(outcome.reason as { readonly code?: unknown }).code] : [],
  );
  return { held: mine.length, codes };
}
