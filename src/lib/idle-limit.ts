/** Ends what makes no progress: takes what it takes, as long as something happens. */

export interface IdleLimit extends Disposable {
  /** Aborts when nothing has happened for too long. */
  readonly signal: AbortSignal;
  /** Something has happened. */
  readonly beat: () => void;
}

/** @param reason - made when it aborts. */
export function createIdleLimit(idleMs: number, reason: () => Error): IdleLimit {
  const idle = new AbortController();
  const timer = setTimeout(() => idle.abort(reason()), idleMs);
  return {
    signal: idle.signal,
    beat: () => void timer.refresh(),
    [Symbol.dispose]: () => clearTimeout(timer),
  };
}
