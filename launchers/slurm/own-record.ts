/**
 * Which jobs may be an attempt's own, where its start marker says which one it is: the program can write there, and name any
 * job of the cluster. Whoever asks Slurm may see jobs that its user may not.
 */

import type { JobRecord } from './job-record.ts';
import { jobNamePrefix } from './submissions.ts';

export interface NamedJob {
  /** Account that it runs as. */
  readonly user: string;
  /** Where a start marker named it: what Slurm called the job it was handed over as, or nothing known. */
  readonly handedOver?: string;
}

/** Where Slurm itself named the job, it is; else it is the one that was handed over, or one of ours of the same account. */
export function isOwnRecord(record: JobRecord, { user, handedOver }: NamedJob): boolean {
  if (handedOver === undefined || record.id === handedOver) return true;
  // The accounting may keep names of accounts in lower case (sacctmgr(1), "PreserveCaseUser").
  return record.name.startsWith(jobNamePrefix) && record.user.toLowerCase() === user.toLowerCase();
}
