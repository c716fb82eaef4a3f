/**
 * Reading what `sacct --json` prints. The shapes changed from one version to the next: 22.05 has plain
 * numbers and one word for a state, 23.02 and later numbers that say whether they are set, and lists of words.
 */

import { LauncherError } from '../../../src/errors.ts';

export type Json = Readonly<Record<string, unknown>>;

/** The objects under `jobs`. Throws `LauncherError` for what is no such answer. */
export function readJobs(program: string, text: string): readonly Json[] {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch (thrown) {
    const message = `${program} answered no JSON: ${JSON.stringify(text.slice(0, 200))}`;
    throw new LauncherError('host.command_failed', message, { cause: thrown });
  }
  const jobs = isJson(answer) ? answer['jobs'] : undefined;
  if (Array.isArray(jobs)) return jobs.filter(isJson);
  throw new LauncherError('host.command_failed', `${program} answered no list of jobs`);
}

/** Nothing for a number that is not set. */
export function numberIn(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (!isJson(value) || value['set'] === false) return undefined;
  const { number } = value;
  return typeof number === 'number' ? number : undefined;
}

export function textIn(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** One word, or a list of them. */
export function wordsIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.filter((word) => typeof word === 'string');
  return typeof value === 'string' && value !== '' ? value.split(/[ ,]+/) : [];
}

/** Seconds since 1970; nothing for zero and for the largest number, which stand for "not yet". */
export function timeIn(value: unknown): Date | undefined {
  const seconds = numberIn(value);
  return seconds === undefined || seconds <= 0 || seconds >= 4_294_967_294 ? undefined : new Date(seconds * 1_000);
}

/** 22.05 has the status as wait(2) gives it. */
export function exitIn(value: unknown): { readonly exitCode: number; readonly signal: number } {
  if (typeof value === 'number') return { exitCode: (value >> 8) & 0xff, signal: value & 0x7f };
  if (!isJson(value)) return { exitCode: 0, signal: 0 };
  const signal = isJson(value['signal']) ? (value['signal']['id'] ?? value['signal']['signal_id']) : undefined;
  return { exitCode: numberIn(value['return_code']) ?? 0, signal: numberIn(signal) ?? 0 };
}

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
