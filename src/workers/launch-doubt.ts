/** What a launch that rejected may have left, by its error; pure. */

import {
  ForbiddenError,
  InvalidError,
  QuotaError,
  ServiceError,
  UnavailableError,
  UnknownOutcomeError,
} from '../errors.ts';

/** Said before anything is handed over. */
const refusals = [ForbiddenError, InvalidError, QuotaError];

/** Whether something may have been handed over all the same: what went away may have gone after it was told. */
export function isInDoubt(error: Error): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof UnknownOutcomeError) return true;
  // By its own words nothing was run on a host that cannot be reached.
  const isRefused = error instanceof ServiceError && error.code === 'host.unavailable';
  return !isRefused && !refusals.some((refusal) => error instanceof refusal);
}

/** Whether a launcher cannot look since the account of the owner refuses it, as one does that is not there. */
export function isRefusedAccount(error: unknown): boolean {
  return error instanceof UnavailableError && error.cause instanceof ForbiddenError;
}
