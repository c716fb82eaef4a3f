/** Work that costs much and may wait: however often it is asked for, it begins again only `everyMs` after it last did. */
export function rarely<Others extends readonly unknown[]>(
  everyMs: number,
  work: (now: Date, ...others: Others) => Promise<void>,
): (now: Date, ...others: Others) => Promise<void> {
  let nextMs = Number.NEGATIVE_INFINITY;
  return async (now, ...others) => {
    if (now.getTime() < nextMs) return;
    await work(now, ...others);
    // What failed is not done: it is tried when it is asked for again.
    nextMs = now.getTime() + everyMs;
  };
}
