/** One job, or one element of an array, as Slurm tells of it. */

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
  /** How often Slurm has started it again. */
  readonly restarts: number;
  readonly exitCode: number;
  readonly signal: number;
  readonly nodes: string;
  readonly startedAt?: Date;
  readonly endedAt?: Date;
}
