/** What a crash left of one user: run directories, jobs that wait for nothing, directories of submissions. */

import { attemptKey } from '../../src/launcher/attempt-key.ts';
import type { AttemptRef } from '../../src/launcher/launcher.ts';
import { sweepAttempts } from '../../src/launcher/sweep-attempts.ts';
import { cancelCommand } from './commands/scancel.ts';
import type { Desk } from './desk.ts';
import type { JobRecord } from './job-record.ts';
import { phaseOf } from './job-state.ts';
import { elementOf, jobNamePrefix } from './submissions.ts';

export interface SweepDeskOptions {
  readonly desk: Desk;
  /** Jobs of a user, by a question begun after the call. */
  readonly jobsOf: (user: string) => Promise<readonly JobRecord[]>;
  readonly isLive: (ref: AttemptRef) => Promise<boolean>;
  readonly remove: (ref: AttemptRef) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Slurm is asked only where there is a submission it may know something of. */
export async function sweepDesk({
  desk,
  jobsOf,
  isLive,
  remove,
  signal,
}: SweepDeskOptions): Promise<readonly AttemptRef[]> {
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

  const swept = await sweepAttempts({ list, isLive, remove: removeAll, signal });
  await removeSubmissions(desk);
  await desk.kept.sweep(signal);
  await desk.ledger.sweep(new Date());
  return swept;
}

interface AttemptJobs {
  readonly ref: AttemptRef;
  readonly ids: readonly string[];
}

/** Jobs of ours that have not ended, by the attempt they are for. Several may be: a launch that was repeated. */
async function jobsByAttempt(desk: Desk, jobsOf: SweepDeskOptions['jobsOf']): Promise<readonly AttemptJobs[]> {
  const submissions = (await desk.host.list(desk.jobs)) ?? [];
  if (submissions.length === 0) return [];
  const all = await jobsOf(desk.owner);
  const found = new Map<string, AttemptJobs>();
  for (const submission of submissions) {
    const jobs = all.filter((job) => job.name === jobNamePrefix + submission && phaseOf(job) !== 'ended');
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

/** Of which no member has a run directory any more: they say nothing that anybody needs. */
async function removeSubmissions(desk: Desk): Promise<void> {
  const submissions = (await desk.host.list(desk.jobs)) ?? [];
  if (submissions.length === 0) return;
  const kept = new Set((await desk.runs.list()).map(attemptKey));
  for (const submission of submissions) {
    const refs = await desk.readIndex(submission);
    const isNeeded = refs.length === 0 || refs.some((ref) => ref !== undefined && kept.has(attemptKey(ref)));
    if (!isNeeded) await desk.host.removeTree(`${desk.jobs}/${submission}`);
  }
}
