/** What is done at once of a list that somebody else fills, so that whoever fills it holds nobody else up. */

const most = 1_000;
const mostMs = 60_000;

/**
 * A thousand of them, and none more after a minute. From a place that chance chooses: what stands first in the list, and
 * comes again or takes all the time, keeps the rest out once and not for ever.
 */
export function* fairShare<T>(all: readonly T[]): Generator<T> {
  const untilMs = Date.now() + mostMs;
  const from = Math.floor(Math.random() * all.length);
  for (const one of [...all.slice(from), ...all.slice(0, from)].slice(0, most)) {
    if (Date.now() >= untilMs) return;
    yield one;
  }
}
