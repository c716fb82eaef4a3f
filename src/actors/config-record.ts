/** A config as Redis keeps it. */

import { standInFor } from './secret-box.ts';

export interface ConfigRecord {
  readonly isSecret: boolean;
  /** Of a secret what the box made of it. */
  readonly value: string;
  /** What it takes of an actor's variable. */
  readonly bytes: number;
  /** Of a secret that was only sealed anew: what stood for it before and goes on doing so. */
  readonly standIn?: string;
}

export function readConfigRecord(text: string): ConfigRecord {
  return JSON.parse(text) as ConfigRecord;
}

/** What answers show of its value. */
export function shownValue({ isSecret, value, standIn }: ConfigRecord): string {
  return isSecret ? (standIn ?? standInFor(value)) : value;
}
