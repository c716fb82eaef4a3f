/** `scancel`: ends jobs, or sends them a signal (scancel(1)). */

import { LauncherError } from '../../../src/errors.ts';
import type { Command } from '../../host/command.ts';
import { expectSuccess, lastWords } from '../../host/command.ts';

/** TERM for the batch script alone, which passes it on: whom else Slurm tells is a matter of how a cluster is set up. */
export function terminateCommand(ids: readonly [string, ...string[]]): Command<void> {
  return { argv: ['scancel', '--batch', '--signal=TERM', ...ids], parse: succeedOrGone };
}

/** Slurm's own end of a job: TERM, then KILL after KillWait; one that waits is taken from the queue. */
export function cancelCommand(ids: readonly [string, ...string[]]): Command<void> {
  return { argv: ['scancel', ...ids], parse: succeedOrGone };
}

/** A job that has ended meanwhile needs no end. */
const gone = /invalid job id|already completing|already completed|job\/step already/i;

/**
 * ESLURM_ALREADY_DONE and ESLURM_INVALID_JOB_ID (slurm_errno.h), of which an exit code keeps the last byte: of a job that
 * ended between its look and its signal it says nothing else.
 */
const goneCodes: readonly number[] = [2021 & 0xff, 2017 & 0xff];

const succeed = expectSuccess('scancel');

function succeedOrGone(result: Parameters<typeof succeed>[0]): void {
  const { exitCode, stderr } = result;
  if (exitCode !== 0 && gone.test(stderr)) return;
  if (exitCode !== null && goneCodes.includes(exitCode) && stderr.trim() === '') return;
  if (exitCode === null) throw new LauncherError('host.command_failed', `scancel was ended: ${lastWords(stderr)}`);
  succeed(result);
}
