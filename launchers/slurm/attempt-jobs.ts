/**
 * Which jobs may run an attempt: of the last submission it was handed over with, and the one that holds its marker. They
 * differ where the answer to an earlier submission was lost, and no look-up told of it either.
 */

import type { AttemptRef } from '../../src/launcher/launcher.ts';
import type { Desk } from './desk.ts';
import type { JobPoller } from './job-poller.ts';
import type { JobRecord } from './job-record.ts';
import { phaseOf } from './job-state.ts';
import { holderOf } from './marker-holder.ts';
import { elementOf, jobNamePrefix } from './submissions.ts';

/** All that Slurm knows, ended ones too. Rejects when Slurm does not answer: that is not "none". */
export async function knownJobsOf(
  desk: Pick<Desk, 'owner' | 'ledger' | 'readIndex'>,
  poller: Pick<JobPoller, 'jobsOf'>,
  ref: AttemptRef,
): Promise<readonly JobRecord[]> {
  const name = jobNamePrefix + ((await desk.ledger.readSubmission(ref)) ?? '');
  // Read before Slurm is asked: whatever has taken it is known to Slurm by then.
  const marker = await desk.ledger.readMarker(ref);
  const holder = holderOf(marker)?.jobId;
  if (name === jobNamePrefix && holder === undefined) return [];
  const jobs = (await poller.jobsOf(desk.owner)).filter((job) => job.name === name || isHolder(job, holder));
  const found: JobRecord[] = [];
  // The label in the marker is written beside the program, which may have put another's number there.
  for (const [jobName, named] of Map.groupBy(jobs, (job) => job.name)) {
    const refs = await desk.readIndex(jobName.slice(jobNamePrefix.length));
    found.push(...named.filter(({ id }) => isSame(refs[elementOf(id)], ref)));
  }
  return found;
}

/** Those of them that have not ended. */
export async function liveJobsOf(...of: Parameters<typeof knownJobsOf>): Promise<readonly JobRecord[]> {
  return (await knownJobsOf(...of)).filter((job) => phaseOf(job) !== 'ended');
}

/** An element that waits has the number of its array, which is another element's own. */
function isHolder(job: JobRecord, holder: string | undefined): boolean {
  return String(job.ownId) === holder && phaseOf(job) !== 'waiting' && job.name.startsWith(jobNamePrefix);
}

export function isSame(one: AttemptRef | undefined, other: AttemptRef): boolean {
  return one?.executionId === other.executionId && one.attempt === other.attempt;
}
