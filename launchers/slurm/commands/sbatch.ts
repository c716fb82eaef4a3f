/** `sbatch`: hands a script to Slurm (sbatch(1)). */

import { LauncherError, QuotaError, UnavailableError, UnknownOutcomeError } from '../../../src/errors.ts';
import type { Command, CommandResult } from '../../host/command.ts';
import { lastWords } from '../../host/command.ts';

/** @returns the number of the job; of an array, of the whole. */
export function sbatchCommand(script: string): Command<number> {
  return { argv: ['sbatch', '--parsable', script], timeoutMs: 120_000, parse: parseSbatch };
}

/**
 * What sbatch says where Slurm is short of something that may come back (slurm_errno(3)), what it says where a limit is
 * reached, and what it says where it may have taken the job without telling.
 */
const passing =
  /unable to contact slurm controller|communication connection failure|slurm_load|resource temporarily unavailable|slurmctld.*(?:down|not responding)|node count specification|unable to allocate resources: .*(?:temporarily|backup)/i;
const limits = /(?:Assoc|QOS)\w*Limit|job submit limit|MaxSubmitJobs|MaxJobCount|maximum number of jobs/i;
const unknown = /timed out|timeout|connection reset|unexpected (?:message|eof)|zero bytes were transmitted/i;

export function parseSbatch({ exitCode, signal, stdout, stderr }: CommandResult): number {
  if (exitCode === 0) {
    const id = /^(\d+)(?:;\S*)?\s*$/m.exec(stdout)?.[1];
    if (id !== undefined) return Number(id);
  }
  const words = lastWords(stderr.replaceAll(/^sbatch: (?:error: )?/gm, '') || stdout);
  if (exitCode === 0 || exitCode === null || unknown.test(stderr)) {
    const how = exitCode === null ? `was ended by ${signal ?? 'a signal'}` : words;
    throw new UnknownOutcomeError('host.unknown_outcome', `sbatch did not say whether it took the job: ${how}`);
  }
  if (limits.test(stderr)) throw new QuotaError('launcher.unavailable', `Slurm takes no more jobs now: ${words}`);
  if (passing.test(stderr)) throw new UnavailableError('launcher.unavailable', `Slurm takes no jobs now: ${words}`);
  throw new LauncherError('launcher.rejected', `Slurm refuses the job: ${words}`);
}
