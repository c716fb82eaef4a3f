/** How many answers that go on for long each user has open here: each looks for news all the time, and holds a socket. */

import type { Caller } from '../auth/caller.ts';
import { QuotaError } from '../errors.ts';

export interface OpenStreams {
  /** Counts one until it is disposed of, which may be more than once; throws `QuotaError` where there are too many. */
  open(caller: Pick<Caller, 'tenant' | 'user'>): Disposable;
}

/** @param most - of one user; 0 is no limit. */
export function createOpenStreams(most: number): OpenStreams {
  const counts = new Map<string, number>();
  const count = (whose: string, change: number): void => {
    const left = (counts.get(whose) ?? 0) + change;
    if (left > 0) counts.set(whose, left);
    else counts.delete(whose);
  };
  return {
    open({ tenant, user }) {
      // No tenant has a slash in its name.
      const whose = `${tenant}/${user}`;
      if (most > 0 && (counts.get(whose) ?? 0) >= most) throw tooMany(user, most);
      count(whose, 1);
      let open = true;
      return {
        [Symbol.dispose]() {
          if (open) count(whose, -1);
          open = false;
        },
      };
    },
  };
}

function tooMany(user: string, most: number): QuotaError {
  const what = 'followed logs, followed executions and synchronous messages open';
  return new QuotaError(
    'stream.too_many',
    `User "${user}" has ${most} ${what}, the limit of limits.streams_per_user; close some, or come again later`,
  );
}
