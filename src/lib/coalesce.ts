/**
 * Many who want the same work done from now on: whoever comes while it runs waits for one more run, which starts after
 * it and is shared by all of them.
 */
export function createCoalescer(): (key: string, work: () => Promise<void>) => Promise<void> {
  const running = new Map<string, Promise<void>>();
  const next = new Map<string, Promise<void>>();

  function start(key: string, work: () => Promise<void>): Promise<void> {
    const run = work().finally(() => {
      if (running.get(key) === run) running.delete(key);
    });
    running.set(key, run);
    return run;
  }

  return (key, work) => {
    const current = running.get(key);
    if (!current) return start(key, work);
    const waiting = next.get(key);
    if (waiting) return waiting;
    const after = current
      .catch(() => undefined)
      .then(() => {
        next.delete(key);
        return start(key, work);
      });
    next.set(key, after);
    return after;
  };
}
