/**
 * Asks the accounting of Slurm, for all who want to know something of it at once, and at most once an interval: what
 * became of jobs that `squeue` has forgotten, and what ended jobs have used. While it does not answer, who only wants to
 * know what was used goes without after a while; who has to know what became of a job goes on waiting.
 */

import { asError } from '../../src/errors.ts';
import type { LauncherLog } from '../../src/launcher/launcher.ts';
import { type BackoffOptions, pause, pauseMs } from '../../src/lib/backoff.ts';
import type { JobRecord } from './job-record.ts';
import { phaseOf } from './job-state.ts';
import { isOwnRecord, type NamedJob } from './own-record.ts';
import type { SlurmQueries } from './slurm-queries.ts';

export interface AccountingBookOptions {
  readonly queries: SlurmQueries;
  readonly intervalMs: number;
  readonly backoff: BackoffOptions;
  readonly log: LauncherLog;
  readonly signal: AbortSignal;
}

/** A job, by any of its numbers, and how far back it has to be looked for. */
export interface AccountedJob extends NamedJob {
  readonly id: string;
  readonly since: Date;
}

export interface AccountingBook {
  /** Every record of the job, also of starts before it was put back; none where it is not known. Rejects with trouble. */
  find(job: AccountedJob): Promise<readonly JobRecord[]>;
  /**
   * Its records once it is over; nothing when that is not known within `withinMs`, or in the time of two questions where
   * that is longer. Never rejects.
   */
  final(job: AccountedJob, withinMs: number): Promise<readonly JobRecord[] | undefined>;
}

interface Want extends AccountedJob {
  readonly untilMs: number | undefined;
  readonly resolve: (records: readonly JobRecord[] | undefined) => void;
  readonly reject: (error: Error) => void;
}

/** A job whose program has ended needs a moment until its end is on the books; then one question is enough. */
const gatherMs = 200;
/** Clocks of the cluster and ours may differ, and so may what a job calls its beginning. */
const earlierMs = 3_600_000;
/** All ids of a question are one argument, of 128 KiB at most (execve(2)); an id has some twenty characters. */
const mostAtOnce = 5_000;

export function createAccountingBook(options: AccountingBookOptions): AccountingBook {
  const { queries, intervalMs, log, signal } = options;
  const wants = new Set<Want>();
  let isRunning = false;
  let askedAtMs = Number.NEGATIVE_INFINITY;
  let failures = 0;

  async function loop(): Promise<void> {
    while (wants.size > 0 && !signal.aborted) {
      const extraMs = failures === 0 ? 0 : pauseMs(failures - 1, options.backoff);
      const restMs = askedAtMs + intervalMs + extraMs - Date.now();
      await pause(Math.max(Math.min(gatherMs, intervalMs), restMs), signal);
      dropLate();
      if (wants.size === 0 || signal.aborted) break;
      askedAtMs = Date.now();
      const asked = [...wants];
      for (let first = 0; first < asked.length; first += mostAtOnce) {
        await ask(asked.slice(first, first + mostAtOnce));
      }
    }
    if (!signal.aborted) return;
    for (const want of wants) {
      if (want.untilMs === undefined) fail(want, asError(signal.reason));
      else settle(want, undefined);
    }
  }

  function start(): void {
    if (isRunning) return;
    isRunning = true;
    void loop().finally(() => {
      isRunning = false;
      if (wants.size > 0) start();
    });
  }

  async function ask(asked: readonly Want[]): Promise<void> {
    try {
      const ids = [...new Set(asked.map(({ id }) => id))];
      const since = new Date(Math.min(...asked.map((want) => want.since.getTime())) - earlierMs);
      const steps = asked.some(({ untilMs }) => untilMs !== undefined);
      const { jobs, slowed } = await queries.accounting({ ids, since, steps }, signal);
      failures = slowed === undefined ? 0 : failures + 1;
      for (const want of asked) {
        const ofNumber = jobs.filter(({ id, ownId }) => id === want.id || String(ownId) === want.id);
        const records = ofNumber.filter((record) => isOwnRecord(record, want));
        if (want.untilMs === undefined || isOver(records) || !queries.hasAccounting) settle(want, records);
      }
    } catch (thrown) {
      if (signal.aborted) return;
      failures += 1;
      log.warn({ err: thrown }, 'the accounting of Slurm did not answer; it is asked again');
      // Who has to know asks again by itself, and says meanwhile why it does not.
      for (const want of asked) if (want.untilMs === undefined) fail(want, asError(thrown));
    }
  }

  function dropLate(): void {
    for (const want of wants) if (want.untilMs !== undefined && want.untilMs < Date.now()) settle(want, undefined);
  }

  function settle(want: Want, records: readonly JobRecord[] | undefined): void {
    wants.delete(want);
    want.resolve(records);
  }

  function fail(want: Want, error: Error): void {
    wants.delete(want);
    want.reject(error);
  }

  function wish(job: AccountedJob, untilMs: number | undefined): Promise<readonly JobRecord[] | undefined> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly JobRecord[] | undefined>();
    wants.add({ ...job, untilMs, resolve, reject });
    start();
    return promise;
  }

  return {
    find: async (job) => (await wish(job, undefined)) ?? [],
    async final(job, withinMs) {
      if (withinMs <= 0 || !queries.hasAccounting) return undefined;
      // The first question may come too soon after the end, and the next one an interval later.
      const patienceMs = Math.max(withinMs, 2 * intervalMs);
      const { promise, resolve } = Promise.withResolvers<undefined>();
      const timer = setTimeout(() => resolve(undefined), patienceMs);
      const wished = wish(job, Date.now() + patienceMs);
      const records = await Promise.race([wished, promise]).finally(() => clearTimeout(timer));
      if (!records && queries.hasAccounting && !signal.aborted)
        log.info(
          { job: job.id, patienceMs },
          'the accounting of Slurm has not told of an ended job; it is not asked again',
        );
      return records;
    },
  };
}

/** Its last record has an end that nothing will change any more. */
function isOver(records: readonly JobRecord[]): boolean {
  const last = records.at(-1);
  return last !== undefined && phaseOf(last) === 'ended' && last.endedAt !== undefined;
}
