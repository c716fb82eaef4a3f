/**
 * Adds to executions that have ended what the books of their scheduler say. Those are seconds behind, and not asked for each
 * end by itself: so an end is told without them, and no worker waits for them. What they say after this process has left
 * is not kept.
 */

import { asError } from '../errors.ts';
import type { History } from '../history/history.ts';
import type { Accounting } from '../launcher/launcher.ts';
import { type BackoffOptions, pause, pauseMs } from '../lib/backoff.ts';
import { orAborted } from '../lib/or-aborted.ts';
import type { ActorRef } from '../mailbox/keys.ts';
import type { Logger } from '../observability/logger.ts';

export interface LateBooks {
  /** @param reading - gives nothing where the books say nothing. */
  add(ref: ActorRef & { readonly executionId: string }, reading: Promise<Accounting | undefined>): void;
  /** Resolves when there is nothing to be added any more. */
  idle(): Promise<void>;
}

export interface LateBooksOptions {
  readonly history: Pick<History, 'account'>;
  readonly log: Logger;
  readonly leaving: AbortSignal;
  readonly backoff?: BackoffOptions;
}

/** The outbox brings an end to the history a moment later, and after an outage when that is over. */
const untilThere = { firstMs: 250, mostMs: 30_000 };
/** About an hour in which the history answers: an execution that is not there by then will never be. */
const mostMisses = 120;

export function createLateBooks({ history, log, leaving, backoff = untilThere }: LateBooksOptions): LateBooks {
  const adding = new Set<Promise<void>>();

  async function addOne(...[ref, reading]: Parameters<LateBooks['add']>): Promise<void> {
    const accounting = await orAborted(reading, leaving).catch(() => undefined);
    if (!accounting) return;
    const { tenant, actorId, executionId } = ref;
    for (let tries = 0, misses = 0; misses < mostMisses && !leaving.aborted; tries += 1) {
      try {
        if (await history.account(tenant, actorId, executionId, accounting)) return;
        misses += 1;
      } catch (thrown) {
        log.debug({ ...ref, err: asError(thrown) }, 'books not kept yet; it is repeated');
      }
      await pause(pauseMs(tries, backoff), leaving);
    }
    log.warn({ ...ref, jobId: accounting.jobId }, 'execution ended without its books');
  }

  return {
    add(ref, reading) {
      const work = addOne(ref, reading).finally(() => adding.delete(work));
      adding.add(work);
    },
    async idle() {
      await Promise.all(adding);
    },
  };
}
