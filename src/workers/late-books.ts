/**
 * Adds to executions that have ended what the books of their scheduler say. Those are seconds behind, and not asked for each
 * end by itself: so an end is told without them, and no worker waits for them. What comes within a second is one write. What
 * they say after this process has left is not kept.
 */

import { asError } from '../errors.ts';
import type { Booked, History } from '../history/history.ts';
import type { Accounting } from '../launcher/launcher.ts';
import { pause } from '../lib/backoff.ts';
import { orAborted } from '../lib/or-aborted.ts';
import type { Logger } from '../observability/logger.ts';

export interface LateBooks {
  /** @param reading - gives nothing where the books say nothing. */
  add(of: Omit<Booked, 'accounting'>, reading: Promise<Accounting | undefined>): void;
  /** Resolves when there is nothing to be added any more. */
  idle(): Promise<void>;
}

export interface LateBooksOptions {
  readonly history: Pick<History, 'account'>;
  readonly log: Logger;
  readonly leaving: AbortSignal;
  /** Between two writes; a second where nothing is said. */
  readonly everyMs?: number;
}

/** The outbox brings an end to the history a moment later: ten minutes in which the history answers are long enough. */
const mostMisses = 600;

export function createLateBooks({ history, log, leaving, everyMs = 1_000 }: LateBooksOptions): LateBooks {
  const adding = new Set<Promise<void>>();
  /** How often each was not there. */
  const misses = new Map<Booked, number>();
  let writing: Promise<void> | undefined;

  async function addOne(...[of, reading]: Parameters<LateBooks['add']>): Promise<void> {
    const accounting = await orAborted(reading, leaving).catch(() => undefined);
    if (!accounting) return;
    const booked = { ...of, accounting };
    misses.set(booked, 0);
    // One that comes as the writing ends begins the next.
    while (misses.has(booked)) await writeSoon();
  }

  function writeSoon(): Promise<void> {
    writing ??= write().finally(() => {
      writing = undefined;
    });
    return writing;
  }

  async function write(): Promise<void> {
    while (misses.size > 0) {
      await pause(everyMs, leaving);
      if (leaving.aborted) misses.forEach((_, booked) => giveUp(booked));
      else await writeAll([...misses.keys()]);
    }
  }

  async function writeAll(all: readonly Booked[]): Promise<void> {
    try {
      const here = await history.account(all);
      all.forEach((booked, index) => (here[index] ? misses.delete(booked) : miss(booked)));
    } catch (thrown) {
      log.debug({ err: asError(thrown), count: all.length }, 'books not kept yet; it is repeated');
    }
  }

  function miss(booked: Booked): void {
    const count = (misses.get(booked) ?? 0) + 1;
    misses.set(booked, count);
    if (count >= mostMisses) giveUp(booked);
  }

  function giveUp(booked: Booked): void {
    const { tenant, actorId, executionId, accounting } = booked;
    log.warn({ tenant, actorId, executionId, jobId: accounting.jobId }, 'execution stays without its books');
    misses.delete(booked);
  }

  return {
    add(of, reading) {
      const work = addOne(of, reading).finally(() => adding.delete(work));
      adding.add(work);
    },
    async idle() {
      await Promise.all(adding);
    },
  };
}
