/** A program to run and how to read its answer: a value, so it is tested without a host. */

import { LauncherError } from '../../src/errors.ts';

export interface Command<T> {
  readonly argv: readonly [string, ...string[]];
  readonly stdin?: string | Uint8Array;
  /** After it the program is killed; one minute where nothing is said. */
  readonly timeoutMs?: number;
  /** Most bytes taken of each of its streams; 16 MiB where nothing is said. */
  readonly maxOutputBytes?: number;
  /** Variables over those of the host. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly parse: (result: CommandResult) => T;
}

export interface CommandResult {
  /** Null when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export const commandDefaults = { timeoutMs: 60_000, maxOutputBytes: 16 * 1024 * 1024 } as const;

/** For commands whose success is all there is to know: their output, or an error with their last words. */
export function expectSuccess(what: string): (result: CommandResult) => string {
  return ({ exitCode, signal, stdout, stderr }) => {
    if (exitCode === 0) return stdout;
    const how = exitCode === null ? `was ended by ${signal ?? 'a signal'}` : `ended with ${exitCode}`;
    throw new LauncherError('host.command_failed', `${what} ${how}: ${lastWords(stderr || stdout)}`);
  };
}

/** The end of what a program said, on one line. */
export function lastWords(text: string, most = 400): string {
  const line = text.trim().replaceAll(/\s*\n\s*/g, '; ');
  if (line === '') return 'it said nothing';
  return line.length > most ? `…${line.slice(-most)}` : line;
}
