/** `sbatch`: hands a script to Slurm (sbatch(1)). */

import {
  InvalidError,
  LauncherError,
  QuotaError,
  type ServiceError,
  UnavailableError,
  UnknownOutcomeError,
} from '../../../src/errors.ts';
import type { Command, CommandResult } from '../../host/command.ts';
import { lastWords } from '../../host/command.ts';
import { classifyRefusal, type RefusalKind } from './sbatch-refusal.ts';

/** @returns the number of the job; of an array, of the whole. */
export function sbatchCommand(script: string): Command<number> {
  return { argv: ['sbatch', '--parsable', script], timeoutMs: 120_000, parse: parseSbatch };
}

/** Asks what would become of the script, which comes by standard input, and hands nothing over. */
export function testSbatchCommand(script: string): Command<{ readonly accepted: boolean; readonly answer: string }> {
  return {
    argv: ['sbatch', '--test-only'],
    stdin: script,
    timeoutMs: 60_000,
    // It answers on its standard error also where all is well.
    parse: ({ exitCode, stdout, stderr }) => ({ accepted: exitCode === 0, answer: wordsOf(stderr || stdout) }),
  };
}

export function parseSbatch({ exitCode, signal, stdout, stderr }: CommandResult): number {
  if (exitCode === 0) {
    const id = /^(\d+)(?:;\S*)?\s*$/m.exec(stdout)?.[1];
    if (id !== undefined) return Number(id);
  }
  const words = wordsOf(stderr || stdout);
  const kind = exitCode === 0 || exitCode === null ? 'unknown' : classifyRefusal(stderr);
  throw refusalError(kind, exitCode === null ? `was ended by ${signal ?? 'a signal'}` : words);
}

function refusalError(kind: RefusalKind | undefined, words: string): ServiceError {
  switch (kind) {
    case 'unknown':
      return new UnknownOutcomeError('host.unknown_outcome', `sbatch did not say whether it took the job: ${words}`);
    case 'limit':
      return new QuotaError('launcher.unavailable', `Slurm has no room for the job now: ${words}`);
    case 'site':
      return new UnavailableError('launcher.unavailable', `Slurm takes no jobs now: ${words}`);
    case 'user':
      return new InvalidError('launcher.rejected', `Slurm refuses the job: ${words}`);
    case undefined:
      return new LauncherError('launcher.rejected', `Slurm refuses the job: ${words}`);
  }
}

function wordsOf(text: string): string {
  return lastWords(text.replaceAll(/^sbatch: (?:error: )?/gm, ''));
}
