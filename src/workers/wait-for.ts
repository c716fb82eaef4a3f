/** The wait that trouble makes: the one place where an error becomes a cause, an owner and a next step (promise 9). */

import { QuotaError, ServiceError } from '../errors.ts';
import type { Wait } from '../executions/execution.ts';

export interface WaitContext {
  /** Where it has waited for a while already. */
  readonly since?: Date | undefined;
  /** What happens next where the error does not know what somebody could do. */
  readonly next?: string;
}

export function waitFor(error: Error, { since = new Date(), next }: WaitContext = {}): Wait {
  const known = error instanceof ServiceError ? error.next : undefined;
  return { cause: error.message, since, owner: ownerOf(error), next: known ?? next ?? usualNext(error) };
}

function ownerOf(error: Error): Wait['owner'] {
  if (!(error instanceof ServiceError)) return 'operator';
  if (error.code === 'image.registry_unavailable') return 'registry';
  if (error instanceof QuotaError) return error.code === 'host.disk_full' ? 'user' : 'scheduler';
  return 'operator';
}

function usualNext(error: Error): string {
  const passing = error instanceof ServiceError && error.retryable;
  return passing ? 'It is tried again by itself' : 'It is tried again; the cause has to be mended';
}
