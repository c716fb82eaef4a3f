/** Which start of which job holds a start marker: what it calls itself there, and how that reads. Pure. */

import type { StartMarker } from '../../src/launcher/ledger.ts';
import { optional } from '../../src/lib/optional.ts';

export interface MarkerHolder {
  /** The number the processes of the job know. */
  readonly jobId: string;
  /** How often Slurm had started the job again by then. */
  readonly restarts: number;
  /** Where its script ran, where Slurm says so. */
  readonly node?: string;
}

/** In the script of an element, as one word of a shell. */
export const holderLabel = '"$SLURM_JOB_ID.${SLURM_RESTART_COUNT:-0}${SLURMD_NODENAME:+:$SLURMD_NODENAME}"';

/** Numbers have 32 bits, and the last few stand for something else (slurm.h, "NO_VAL"). */
const numbersEnd = 2 ** 32 - 16;

/** Nothing where none holds it, and of a marker in which something else stands: a program can write there. */
export function holderOf(marker: StartMarker): MarkerHolder | undefined {
  if (marker.kind !== 'started') return undefined;
  const { jobId, restarts, node } =
    /@(?<jobId>[1-9]\d{0,9})\.(?<restarts>\d{1,10})(?::(?<node>[\w.-]+))?$/.exec(marker.owner)?.groups ?? {};
  if (jobId === undefined || Number(jobId) >= numbersEnd) return undefined;
  return { jobId, restarts: Number(restarts), ...optional('node', node) };
}
