/**
 * The newest executions of many actors, page by page. Each page is asked of every actor the reader may read, newest
 * first and no further back than what is on the page already; so it costs a look per actor and the page, however long
 * the history is and whatever belongs to others.
 */

import type { FoundEntry } from './search.ts';
import { compareText } from './search-filter.ts';
import { createPatience } from './search-page.ts';

export interface NewestQuery {
  /** As the contract writes it. */
  readonly status?: string;
  /** Received at this time or later. */
  readonly from?: Date;
  /** Received before this time. */
  readonly until?: Date;
  /** The last one of the page before. */
  readonly after?: Place;
  readonly limit: number;
}

export interface Place {
  readonly time: Date;
  readonly id: string;
}

export interface PlacedEntry extends FoundEntry, Place {}

/**
 * @param read gives the newest of some actors, at most `limit`; none of them need be older than `from`.
 * @param atOnce actors of one question.
 */
export async function mergeNewest<Row extends Place>(
  actorIds: readonly string[],
  query: NewestQuery,
  atOnce: number,
  read: (actorIds: readonly string[], query: NewestQuery) => readonly Row[] | Promise<readonly Row[]>,
): Promise<readonly Row[]> {
  const patience = createPatience();
  let page: readonly Row[] = [];
  let { from } = query;
  for (let index = 0; index < actorIds.length; index += atOnce) {
    const rest = patience();
    if (rest) await rest;
    const asked = from ? { ...query, from } : query;
    const found = await read(actorIds.slice(index, index + atOnce), asked);
    if (found.length === 0) continue;
    page = [...page, ...found].toSorted(newestFirst).slice(0, query.limit);
    if (page.length === query.limit) from = page.at(-1)?.time;
  }
  return page;
}

function newestFirst(one: Place, other: Place): number {
  return other.time.getTime() - one.time.getTime() || compareText(other.id, one.id);
}
