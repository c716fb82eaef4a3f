/** What a crash left of one user: run directories, jobs that wait for nothing, directories of submissions. */

import { attemptKey } from '../../src/launcher/attempt-key.ts';
import type { AttemptRef, FindDead } from '../../src/launcher/launcher.ts';
import { sweepAttempts } from '../../src/launcher/sweep-attempts.ts';
import { fairShare } from '../../src/lib/fair-share.ts';
import { findOldCommand } from '../host/find-old.ts';
import type { Found } from '../host/owners.ts';
import { cancelCommand } from './commands/scancel.ts';
import type { Desk } from './desk.ts';
import type { JobRecord } from './job-record.ts';
import { phaseOf } from './job-state.ts';
import { elementOf, jobNamePrefix } from './submissions.ts';

export interface SweepDeskOptions {
  readonly desk: Desk;
  /** Jobs of a user; again is a question begun after the call. */
  readonly jobsOf: (user: string) => Promise<readonly JobRecord[]>;
  readonly findDead: FindDead;
  readonly remove: (ref: AttemptRef) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Whoever hands something over makes its directory, and the index in it, within moments. */
const unfinishedMs = 3_600_000;

/** Slurm is asked only where there is a submission it may know something of. */
export async function sweepDesk({ desk, jobsOf, findDead, remove, signal }: SweepDeskOptions): Promise<Found> {
  const { owner } = desk;
  let jobs = new Map<string, readonly string[]>();

  async function list(): Promise<readonly AttemptRef[]> {
    const found = await jobsByAttempt(desk, jobsOf);
    jobs = new Map(found.map(({ ref, ids }) => [attemptKey(ref), ids]));
    const refs = [...(await desk.runs.list()), ...found.map(({ ref }) => ref)];
    return refs.map((ref) => ({ ...ref, owner }));
  }

  async function removeAll(ref: AttemptRef): Promise<void> {
    const [first, ...others] = jobs.get(attemptKey(ref)) ?? [];
    if (first !== undefined) await desk.host.run(cancelCommand([first, ...others]), signal);
    await remove(ref);
  }

  const removed = await sweepAttempts({ list, findDead, remove: removeAll, signal });
  // In this order: the run directory of what was handed over is made before its submission.
  const submissions = (await desk.host.list(desk.jobs)) ?? [];
  const runs = await desk.runs.list();
  const left = await removeSubmissions(desk, submissions, runs, signal);
  await desk.kept.sweep(signal);
  await desk.ledger.sweep(new Date(), findDead);
  return { removed, isLeft: runs.length + left > 0 };
}

interface AttemptJobs {
  readonly ref: AttemptRef;
  readonly ids: readonly string[];
}

/** Jobs of ours that have not ended, by the attempt they are for. Several may be: a launch that was repeated. */
async function jobsByAttempt(desk: Desk, jobsOf: SweepDeskOptions['jobsOf']): Promise<readonly AttemptJobs[]> {
  const submissions = (await desk.host.list(desk.jobs)) ?? [];
  if (submissions.length === 0) return [];
  const all = (await jobsOf(desk.owner)).filter((job) => phaseOf(job) !== 'ended');
  const byName = Map.groupBy(all, ({ name }) => name);
  const found = new Map<string, AttemptJobs>();
  for (const submission of submissions) {
    const jobs = byName.get(jobNamePrefix + submission) ?? [];
    const refs = jobs.length === 0 ? [] : await desk.readIndex(submission);
    for (const { id } of jobs) {
      const ref = refs[elementOf(id)];
      if (!ref) continue;
      const ids = found.get(attemptKey(ref))?.ids ?? [];
      found.set(attemptKey(ref), { ref, ids: [...ids, id] });
    }
  }
  return [...found.values()];
}

/**
 * Of which no member has a run directory any more, and what was never made: they say nothing that anybody needs. A fair
 * share of them is looked at, as each is read by itself and its user can make any number.
 *
 * @returns how many are left.
 */
async function removeSubmissions(
  desk: Desk,
  submissions: readonly string[],
  runs: readonly AttemptRef[],
  signal: AbortSignal,
): Promise<number> {
  const kept = new Set(runs.map(attemptKey));
  const unmade: string[] = [];
  let left = submissions.length;
  for (const submission of fairShare(submissions)) {
    signal.throwIfAborted();
    const refs = await desk.readIndex(submission);
    if (refs.length === 0) unmade.push(submission);
    else if (!refs.some((ref) => ref !== undefined && kept.has(attemptKey(ref)))) await removeOne(submission);
  }
  if (unmade.length === 0) return left;
  const old = new Set(await desk.host.run(findOldCommand(desk.jobs, unfinishedMs), signal));
  for (const submission of unmade) {
    if (old.has(submission)) await removeOne(submission);
  }
  return left;

  async function removeOne(submission: string): Promise<void> {
    await desk.host.removeTree(`${desk.jobs}/${submission}`);
    left -= 1;
  }
}
