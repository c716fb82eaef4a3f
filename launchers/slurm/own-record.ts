/**
 * Which jobs may be an attempt's own. Numbers begin again where a controller has lost its state, and the accounting keeps the
 * records of both. Where a start marker says which job it is, the program can have written that, and named any job of the
 * cluster. Whoever asks Slurm may see jobs that its user may not.
 */

import type { JobRecord } from './job-record.ts';
import { jobNamePrefix } from './submissions.ts';

export interface NamedJob {
  /** Account that it runs as. */
  readonly user: string;
  /** Where a start marker named it: what Slurm called the job it was handed over as, or nothing known. */
  readonly handedOver?: string;
}

/** One of ours: the one that Slurm itself named, or that was handed over, or another of the same account. */
export function isOwnRecord(record: JobRecord, { user, handedOver }: NamedJob): boolean {
  if (!record.name.startsWith(jobNamePrefix)) return false;
  if (handedOver === undefined || record.id === handedOver) return true;
  // The accounting may keep names of accounts in lower case (sacctmgr(1), "PreserveCaseUser").
  return record.user.toLowerCase() === user.toLowerCase();
}
