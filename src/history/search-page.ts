/** The asked page of what is found, when it is found one by one in the order of time. */

import { setImmediate as otherThings } from 'node:timers/promises';
import { InvalidError } from '../errors.ts';
import type { FoundEntry, SearchPage, SearchQuery } from './search.ts';
import type { Patience } from './search-filter.ts';

export interface PageMaker {
  /** @param score how many of the words it holds. */
  add(entry: FoundEntry, score: number): void;
  finish(): SearchPage;
}

/** Keeps no more than the page, or, where words rank, what may still come to stand on it. */
export function createPage({ skip, limit, words }: Pick<SearchQuery, 'skip' | 'limit' | 'words'>): PageMaker {
  const perScore = Array.from({ length: words.length + 1 }, (): FoundEntry[] => []);
  let total = 0;
  return {
    add(entry, score) {
      total += 1;
      const same = perScore[score] ?? [];
      if (same.length < skip + limit) same.push(entry);
    },
    finish() {
      const ranked = perScore.toReversed().flat();
      return { total, entries: ranked.slice(skip, skip + limit) };
    },
  };
}

/** A search that looks at records one by one does so for no longer, and never keeps the process from other things. */
const mostLookedMs = 5_000;
const mostAtOnceMs = 20;

/** @returns what is awaited before each record, and before each text of one in which a pattern is looked for. */
export function createPatience(): Patience {
  const start = performance.now();
  let rested = start;
  return () => {
    const now = performance.now();
    if (now - start > mostLookedMs) throw tooMuchToLookAt();
    if (now - rested < mostAtOnceMs) return undefined;
    return otherThings().then(() => {
      rested = performance.now();
    });
  };
}

function tooMuchToLookAt(): InvalidError {
  return new InvalidError(
    'request.invalid',
    'Search took longer than 5 seconds: narrow it down by actor, status, executor or exactsearch',
  );
}
