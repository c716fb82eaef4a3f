/** The script of one element of a submission: starts its program. Pure. */

import { shellLine, shellQuote } from '../../src/lib/shell.ts';
import { holderLabel } from './marker-holder.ts';
import type { StartPlan } from './plan-start.ts';
import { waitThrough } from './wait-through.ts';

/** Of Apptainer, for all that keeps it from starting a program. */
const neverStarted = 255;

/** The walltime counts from there; a template of the site may not say it. As words of a shell. */
const began = '--began "${ABACO_JOB_BEGAN:-0}"';

/** Seconds before it is tried again: what fails on a busy node is a look-up of the user, or a device that is taken. */
const pauses = [1, 2] as const;

/**
 * Where the plan names a marker, what failed while that was free is tried again: the start that takes the marker is one of
 * several then, which is what it is for. TERM is for this shell alone, on many a cluster also where Slurm ends the job by
 * itself: so it lives through TERM, passes it on to what it started, and passes on the exit code.
 */
export function renderMember({ before, after, marker }: StartPlan): string {
  const start = `${shellLine(before)} ${holderLabel} ${began} ${shellLine(after)}`;
  if (marker === undefined) return `exec ${start}\n`;
  return `marker=${shellQuote(marker)}
start() {
  ${start} &
  started=$!
  if [ -n "\${told:-}" ]; then kill -TERM "$started" 2>/dev/null; fi
${waitThrough('started')}
  started=
}
trap 'heard=yes; told=yes; kill -TERM "$started" 2>/dev/null' TERM
for pause in ${pauses.join(' ')}; do
  start
  if [ "$code" -ne ${neverStarted} ] || [ -L "$marker" ]; then exit "$code"; fi
  if [ -z "\${told:-}" ]; then sleep "$pause"; fi
  if [ -n "\${told:-}" ]; then exit "$code"; fi
done
start
exit "$code"
`;
}
