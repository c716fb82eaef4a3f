/**
 * Extends the leases of all workers of this process from one timer, and tells each when its lease is lost or its
 * execution is to be cancelled. Redis being away is not a loss: only the script's word is.
 */

import type { Lease } from '../executions/execution.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { News } from '../mailbox/news.ts';

export interface KeptLease extends Disposable {
  /** Aborts when another holds the execution, or it has ended. What runs goes on; this worker may finish nothing. */
  readonly lost: AbortSignal;
  /** Aborts when its owner asked for its end. */
  readonly cancelled: AbortSignal;
}

export interface LeaseKeeper {
  keep(lease: Lease): KeptLease;
  close(): void;
}

export interface LeaseKeeperOptions {
  readonly mailbox: Pick<Mailbox, 'extend'>;
  readonly news: Pick<News, 'listen'>;
  readonly extendEveryMs: number;
  readonly onError: (error: unknown) => void;
  readonly onLost?: () => void;
}

interface Kept {
  readonly lease: Lease;
  readonly lost: AbortController;
  readonly cancelled: AbortController;
}

export function createLeaseKeeper(options: LeaseKeeperOptions): LeaseKeeper {
  const kept = new Set<Kept>();

  async function extend(entry: Kept): Promise<void> {
    try {
      const answer = await options.mailbox.extend(entry.lease);
      if (!kept.has(entry)) return;
      if (answer === 'lost' && !entry.lost.signal.aborted) {
        options.onLost?.();
        entry.lost.abort();
      }
      if (answer === 'cancel') entry.cancelled.abort();
    } catch (thrown) {
      options.onError(thrown);
    }
  }

  const timer = setInterval(() => {
    for (const entry of kept) void extend(entry);
  }, options.extendEveryMs);
  timer.unref();

  const stopListening = options.news.listen((item) => {
    if (item.kind !== 'cancel') return;
    for (const entry of kept) if (entry.lease.executionId === item.executionId) void extend(entry);
  });

  return {
    keep(lease) {
      const entry: Kept = { lease, lost: new AbortController(), cancelled: new AbortController() };
      kept.add(entry);
      return {
        lost: entry.lost.signal,
        cancelled: entry.cancelled.signal,
        [Symbol.dispose]: () => kept.delete(entry),
      };
    },
    close() {
      clearInterval(timer);
      stopListening();
      kept.clear();
    },
  };
}
