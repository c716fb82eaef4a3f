/**
 * How an element of a submission starts its program. Pure.
 *
 * One task is a container whose first process is the helper. Several tasks are started by `srun`, and still decided
 * once: the helper runs on the node of the batch script, outside any container. It takes the marker, and what it starts
 * is `srun`; each rank is then a container whose first process puts the environment in place and passes signals on. So
 * there is one start, one log with what all ranks wrote, one exit code and one end record, and whoever comes late with
 * another marker never reaches `srun`. The exit code is that of `srun`, the worst of all ranks, or 143 where all were
 * told to end. Ranks that each look at the marker would need an agreement of their own.
 */

import { startArguments } from '../../src/launcher/helper-arguments.ts';
import type { LaunchSpec } from '../../src/launcher/launcher.ts';
import { type ApptainerPaths, planApptainer } from '../apptainer/apptainer-command.ts';
import { planRank } from '../apptainer/rank-command.ts';
import type { JobPlan } from './sbatch-options.ts';
import type { SlurmOptions } from './slurm-options.ts';
import { waitThrough } from './wait-through.ts';

/** The words before its label and after. */
export interface StartPlan {
  readonly before: readonly string[];
  readonly after: readonly string[];
  /** Path of the start marker, where whoever finds it free after a failure may start the same again. */
  readonly marker?: string;
}

/**
 * srun takes TERM for an order to kill. So it stands in a session of its own, where the helper's signals do not reach it, and
 * Slurm tells the ranks. It knows no signal of ours, and brings any to the first processes of the ranks alone or to all, as
 * the cluster is set up: it is told the number of WINCH, which their helpers take for TERM, and which does nothing to a
 * program. Who is only being started hears nothing, so it is said again; the helper ends that with this shell. Ranks end with
 * 0 then (native/rank.c), which is 143 for all.
 */
const shieldedSrun = [
  'tell() { for pause in 1 2 4 8 16 32; do scancel --signal=28 "$SLURM_JOB_ID" 2>/dev/null; sleep "$pause"; done; }',
  "trap 'heard=yes; told=yes; tell &' TERM INT",
  'setsid "$@" &',
  'ranks=$!',
  waitThrough('ranks'),
  'if [ -n "${told:-}" ] && [ "$code" -eq 0 ]; then code=143; fi',
  'exit "$code"',
].join('\n');

export function planStart(
  spec: LaunchSpec,
  paths: ApptainerPaths,
  job: JobPlan,
  settings: Pick<SlurmOptions, 'gpus' | 'mpi'>,
): StartPlan {
  const limited = { ...spec, limits: { ...spec.limits, timeMs: job.timeMs } };
  const extras = job.hasGpus && settings.gpus !== 'none' ? { gpus: settings.gpus } : {};
  if (job.tasks === 1) return { ...planApptainer(limited, paths, extras), marker: `${paths.ledgerEntry}/start` };
  return {
    before: [
      `${paths.nativeDir}/abaco-start`,
      ...startArguments(limited, { ledger: paths.ledgerEntry, run: paths.runDir }),
      // What is for the program is not for srun.
      '--environment',
      '/dev/null',
      '--label',
    ],
    after: [
      '--',
      '/bin/sh',
      '-c',
      shieldedSrun,
      'tasks',
      'srun',
      `--ntasks=${job.tasks}`,
      `--cpus-per-task=${job.cpusPerTask}`,
      '--export=ALL',
      '--input=none',
      '--kill-on-bad-exit=1',
      ...(settings.mpi === '' ? [] : [`--mpi=${settings.mpi}`]),
      ...planRank(limited, paths, extras),
    ],
  };
}
