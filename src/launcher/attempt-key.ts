import { InvalidError } from '../errors.ts';
import type { AttemptRef } from './launcher.ts';

/** Ids are letters and digits; a few signs more for tests and for what may come, none that means anything in a path. */
const executionIdText = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

/** Name of an attempt's directories: `<executionId>-<attempt>`. Throws on what could lead anywhere else. */
export function attemptKey({ executionId, attempt }: AttemptRef): string {
  if (executionIdText.test(executionId) && Number.isSafeInteger(attempt) && attempt > 0)
    return `${executionId}-${attempt}`;
  const what = `Attempt ${JSON.stringify(attempt)} of execution ${JSON.stringify(executionId)} cannot be named`;
  throw new InvalidError('request.invalid', `${what}: ids are letters and digits, attempts count from 1`);
}

/** @returns nothing for a name that `attemptKey` never gives. */
export function parseAttemptKey(name: string): AttemptRef | undefined {
  const [, executionId = '', attempt = ''] = /^(.+)-([1-9]\d{0,14})$/.exec(name) ?? [];
  return executionIdText.test(executionId) ? { executionId, attempt: Number(attempt) } : undefined;
}

/** Each attempt once, in the order first met. */
export function uniqueAttempts(refs: readonly AttemptRef[]): readonly AttemptRef[] {
  return [...new Map(refs.map((ref) => [attemptKey(ref), ref])).values()];
}
