/** Whose fault it is that an image cannot be had, by what its launcher rejected with; pure. */

import { InvalidError, ServiceError } from '../errors.ts';

/** Of refusals that stay until somebody changes the actor, or what its owner may do. */
const refusals: ReadonlySet<string> = new Set(['request.forbidden', 'launcher.rejected']);

/**
 * Whether it is the image's own, or somebody decided that it is not for its user. Of all else, as of a file system that
 * fails or of an account that is away, nobody can say that it stays: it is tried again, so that no actor has to be updated
 * for it.
 */
export function isImagesFault(error: Error): boolean {
  if (!(error instanceof ServiceError) || error.retryable) return false;
  return error instanceof InvalidError || /^(?:image|identity)\./.test(error.code) || refusals.has(error.code);
}
