/** One job, or one element of an array, as Slurm tells of it. */

import type { Accounting } from '../../src/launcher/launcher.ts';

export interface JobRecord {
  /** `123`, or `123_4` for an element of an array; what `sbatch` and `scancel` call it. */
  readonly id: string;
  /** The number by which its processes know it (`SLURM_JOB_ID`); of an element that waits, its array's. */
  readonly ownId: number;
  readonly name: string;
  readonly user: string;
  /** Slurm's words; flags beside the state (COMPLETING, REQUEUED) are among them. */
  readonly states: readonly string[];
  /** Slurm's word for why it waits or how it ended. */
  readonly reason: string;
  /** How often Slurm has started it again; nothing where it does not say. */
  readonly restarts?: number;
  readonly exitCode: number;
  readonly signal: number;
  readonly nodes: string;
  /** Of one that waits, when Slurm expects to start it. */
  readonly startedAt?: Date;
  readonly endedAt?: Date;
  /** Who asked for its end: a name, or a number. Only the accounting knows. */
  readonly cancelledBy?: string;
  /** What it used; only from the accounting, and whole only once it has ended. */
  readonly accounting?: Accounting;
}
