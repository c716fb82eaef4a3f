/** Work that several ask for at once, and one does for all. */

import { orAborted } from '../../src/lib/or-aborted.ts';

type Tell = (text: string) => void;

/**
 * Does what is asked under a key, or waits for whoever does. Where that one is stopped, one of those who wait goes on.
 *
 * @param tell - told what all are told, and first what was said last.
 */
export type ShareWork<T> = (
  key: string,
  signal: AbortSignal,
  tell: Tell | undefined,
  work: (tell: Tell) => Promise<T>,
) => Promise<T>;

interface Running<T> {
  readonly done: Promise<T>;
  readonly signal: AbortSignal;
  readonly listeners: Set<Tell>;
  last: string | undefined;
}

export function createSharedWork<T>(): ShareWork<T> {
  const all = new Map<string, Running<T>>();

  function start(key: string, signal: AbortSignal, work: (tell: Tell) => Promise<T>): Running<T> {
    const listeners = new Set<Tell>();
    const tell = (text: string): void => {
      running.last = text;
      for (const listener of listeners) listener(text);
    };
    // Begun once all can listen.
    const done = Promise.resolve()
      .then(async () => await work(tell))
      .finally(() => all.delete(key));
    const running: Running<T> = { done, signal, listeners, last: undefined };
    all.set(key, running);
    return running;
  }

  return async (key, signal, tell, work) => {
    for (;;) {
      const known = all.get(key);
      const running = known ?? start(key, signal, work);
      if (tell) running.listeners.add(tell);
      if (tell && running.last !== undefined) tell(running.last);
      try {
        return await (known ? orAborted(running.done, signal) : running.done);
      } catch (thrown) {
        if (!known || signal.aborted || !known.signal.aborted) throw thrown;
      } finally {
        if (tell) running.listeners.delete(tell);
      }
    }
  };
}
