/** Takes away what was kept for a time, once that has passed. */

import type { Blobs } from '../executions/blobs.ts';
import type { History } from './history.ts';

export interface ExpiryParts {
  readonly history: Pick<History, 'expireLogs'>;
  readonly blobs: Pick<Blobs, 'remove'>;
  /** Most at once. */
  readonly batch: number;
}

/** @returns whether there may be more. */
export async function forgetExpired({ history, blobs, batch }: ExpiryParts): Promise<boolean> {
  const logs = await history.expireLogs(new Date(), batch);
  for (const blob of logs.blobs) await blobs.remove(blob);
  return logs.count === batch;
}
