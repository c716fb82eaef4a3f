/** Work that costs much and may wait: however often it is asked for, it begins again only `everyMs` after it last did. */
export function rarely(everyMs: number, work: (now: Date) => Promise<void>): (now: Date) => Promise<void> {
  let nextMs = Number.NEGATIVE_INFINITY;
  return async (now) => {
    if (now.getTime() < nextMs) return;
    await work(now);
    // What failed is not done: it is tried when it is asked for again.
    nextMs = now.getTime() + everyMs;
  };
}
