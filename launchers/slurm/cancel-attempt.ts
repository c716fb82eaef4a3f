/** Ends an attempt: what has not started never will, and what has is told to end, and killed after its grace time. */

import { UnavailableError } from '../../src/errors.ts';
import { attemptKey } from '../../src/launcher/attempt-key.ts';
import type { AttemptRef, LauncherLog } from '../../src/launcher/launcher.ts';
import { pause } from '../../src/lib/backoff.ts';
import { knownJobsOf, liveJobsOf } from './attempt-jobs.ts';
import { cancelCommand, terminateCommand } from './commands/scancel.ts';
import type { Desk } from './desk.ts';
import type { JobPoller } from './job-poller.ts';
import type { JobRecord } from './job-record.ts';
import { phaseOf } from './job-state.ts';

export interface CancellationParts {
  readonly poller: Pick<JobPoller, 'jobsOf'>;
  readonly log: LauncherLog;
  /** Aborts when the launcher is closed. */
  readonly signal: AbortSignal;
}

type CancelDesk = Pick<Desk, 'owner' | 'host' | 'ledger' | 'readIndex'>;

export interface Cancellation {
  cancel(desk: CancelDesk, ref: AttemptRef, graceMs: number): Promise<'never-started' | 'stopping'>;
  /** Ends all jobs of an attempt at once, whatever they do. */
  endJobs(desk: CancelDesk, ref: AttemptRef): Promise<void>;
  /** Of an attempt that is over nothing is kept. */
  forget(ref: AttemptRef): void;
}

/** A helper that is not stuck has ended its container by then. */
const afterGraceMs = 5_000;
/** How long a job that holds the marker is looked for, where Slurm does not know it: it may be lost, and never come back. */
const unseenMs = 600_000;

export function createCancellation({ poller, log, signal }: CancellationParts): Cancellation {
  /** Jobs that are killed when their grace time is over. */
  const doomed = new Set<string>();
  /** Attempts whose job was not found, and since when. */
  const unseen = new Map<string, number>();

  async function tell(desk: CancelDesk, job: JobRecord, graceMs: number): Promise<void> {
    // Slurm sends no signal to what waits, and that would find the marker taken.
    const isWaiting = phaseOf(job) === 'waiting';
    const command = isWaiting ? cancelCommand : terminateCommand;
    await desk.host.run(command([job.id]), signal);
    // Kept beside the helper's own grace time: it ends a container whose helper is stuck.
    if (!isWaiting && !doomed.has(job.id)) void killLater(desk, job.id, graceMs);
  }

  async function killLater(desk: CancelDesk, id: string, graceMs: number): Promise<void> {
    doomed.add(id);
    await pause(graceMs + afterGraceMs, signal);
    doomed.delete(id);
    if (signal.aborted) return;
    await desk.host.run(cancelCommand([id]), signal).catch((thrown: unknown) => {
      log.warn({ err: thrown, job: id }, 'job not cancelled');
    });
  }

  function forget(ref: AttemptRef): void {
    unseen.delete(attemptKey(ref));
  }

  async function endJobs(desk: CancelDesk, ref: AttemptRef): Promise<void> {
    forget(ref);
    for (const { id } of await liveJobsOf(desk, poller, ref)) await desk.host.run(cancelCommand([id]), signal);
  }

  /** What has started and not said that it has ended has a job; who does not find it has told nobody. */
  async function checkSeen(desk: CancelDesk, ref: AttemptRef, known: readonly JobRecord[]): Promise<void> {
    const key = attemptKey(ref);
    const since = unseen.get(key) ?? Date.now();
    unseen.delete(key);
    if (known.length > 0 || (await desk.ledger.readEnd(ref)) !== undefined) return;
    if (Date.now() - since > unseenMs) return;
    unseen.set(key, since);
    const message = `Execution "${ref.executionId}" is not told to end: it has started, and Slurm knows no job of it`;
    throw new UnavailableError('launcher.unavailable', message);
  }

  return {
    async cancel(desk, ref, graceMs) {
      if ((await desk.ledger.close(ref, 'cancelled')) === 'closed') {
        await endJobs(desk, ref);
        return 'never-started';
      }
      await desk.ledger.noteCancel(ref);
      const known = await knownJobsOf(desk, poller, ref);
      for (const job of known) if (phaseOf(job) !== 'ended') await tell(desk, job, graceMs);
      await checkSeen(desk, ref, known);
      return 'stopping';
    },
    endJobs,
    forget,
  };
}
