/** Takes away what was kept for a time, once that has passed. */

import type { Blobs } from '../executions/blobs.ts';
import type { ResultBlobs } from '../executions/result-blobs-store.ts';
import type { History } from './history.ts';

export interface ExpiryParts {
  readonly history: Pick<History, 'expiredBlobs' | 'expireLogs'>;
  readonly executions: Pick<ResultBlobs, 'unreadableResults' | 'forgetResults'>;
  readonly blobs: Pick<Blobs, 'remove'>;
  /** Most at once. */
  readonly batch: number;
}

/** @returns whether there may be more. */
export async function forgetExpired({ history, executions, blobs, batch }: ExpiryParts): Promise<boolean> {
  const now = new Date();
  // Before it is forgotten what they are called; and once more those whose time came meanwhile.
  for (const blob of await history.expiredBlobs(now, batch)) await blobs.remove(blob);
  const logs = await history.expireLogs(now, batch);
  for (const blob of logs.blobs) await blobs.remove(blob);
  const results = await executions.unreadableResults(batch);
  for (const unreadable of results) {
    for (const blob of unreadable.blobs) await blobs.remove(blob);
    await executions.forgetResults(unreadable);
  }
  return logs.count === batch || results.length === batch;
}
