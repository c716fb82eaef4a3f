/** How a build failed, for those who waited for it: under the token of the lock that was held then. */

import { type ErrorCode, LauncherError, ServiceError } from '../../src/errors.ts';
import type { Host } from '../host/host.ts';

interface FailureRecord {
  readonly token: string;
  readonly code: ErrorCode;
  readonly message: string;
}

/** Trouble that may pass is not noted: whoever waits tries again. */
export async function noteFailure(host: Host, base: string, token: string, thrown: unknown): Promise<void> {
  if (!(thrown instanceof ServiceError) || thrown.retryable) return;
  const record: FailureRecord = { token, code: thrown.code, message: thrown.message };
  await host.put(`${base}.failed`, Buffer.from(JSON.stringify(record))).catch(() => undefined);
}

export async function failureOfBuild(host: Host, base: string, token: string): Promise<Error | undefined> {
  const [part] = await host.readMany([{ path: `${base}.failed`, offset: 0, length: 1_000_000 }]);
  const failure = part && parseFailure(Buffer.from(part.bytes).toString());
  return failure?.token === token ? new LauncherError(failure.code, failure.message) : undefined;
}

/** Nothing for one that was not written whole. */
function parseFailure(text: string): FailureRecord | undefined {
  try {
    return JSON.parse(text) as FailureRecord;
  } catch {
    return undefined;
  }
}
