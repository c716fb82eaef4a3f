/** Growing pauses between attempts, with jitter so that many do not knock at once. */

export interface BackoffOptions {
  readonly firstMs: number;
  readonly mostMs: number;
}

/** The pause before try number `count` (0 is the first repeat): doubled each time, capped, and half of it random. */
export function pauseMs(count: number, { firstMs, mostMs }: BackoffOptions): number {
  const full = Math.min(mostMs, firstMs * 2 ** Math.min(count, 30));
  return full / 2 + (Math.random() * full) / 2;
}

/** Resolves after `ms`, or at once when a signal aborts; never rejects. */
export async function pause(ms: number, ...signals: readonly AbortSignal[]): Promise<void> {
  if (signals.some((signal) => signal.aborted)) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const wake = (): void => resolve();
  for (const signal of signals) signal.addEventListener('abort', wake);
  await promise;
  clearTimeout(timer);
  // So that listeners do not pile up on a signal that lives longer.
  for (const signal of signals) signal.removeEventListener('abort', wake);
}
