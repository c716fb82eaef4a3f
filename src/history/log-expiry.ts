/** The age at which logs expire (contract §9.7). */

/** What the configuration says for a tenant. Zero and less mean never. */
export interface LogAges {
  /** For actors that name no age of their own. */
  readonly defaultSeconds: number;
  /** No actor may ask for more. It does not touch the default. */
  readonly limitSeconds: number;
}

/**
 * The time from which a log written at `writtenAt` reads as empty: the actor's `logEx` capped by the limit, else the
 * default. An actor that asks for never gets the limit, where there is one.
 *
 * @returns nothing when the log is kept for ever.
 */
export function logExpiresAt(writtenAt: Date, logEx: number | null, ages: LogAges): Date | undefined {
  const ageSeconds = logEx === null ? asAge(ages.defaultSeconds) : Math.min(asAge(logEx), asAge(ages.limitSeconds));
  const expiresAt = new Date(writtenAt.getTime() + ageSeconds * 1000);
  return Number.isNaN(expiresAt.getTime()) ? undefined : expiresAt;
}

/** Never is the greatest age, so that a cap is a minimum. */
function asAge(seconds: number): number {
  return seconds > 0 ? seconds : Number.POSITIVE_INFINITY;
}
