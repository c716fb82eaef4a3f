/**
 * How many images one supervisor builds at once on one machine, whoever asks: a build takes processors, memory and disk
 * where others work too. Of one tenant one at a time, so that none has all the turns.
 */

import pLimit, { type LimitFunction } from 'p-limit';

export interface BuildTurns {
  /**
   * Runs a build when it is its turn. Rejects as `signal` does where it is given up before; from then on the turn is the
   * build's until it has ended.
   *
   * @param onWait - called where it does not begin at once.
   */
  take<T>(tenant: string | undefined, signal: AbortSignal, build: () => Promise<T>, onWait: () => void): Promise<T>;
}

export function createBuildTurns(most: number): BuildTurns {
  const all = pLimit(most);
  /** Those who build or wait; each has one build at most in `all`. */
  const tenants = new Map<string, { readonly limit: LimitFunction; count: number }>();

  return {
    async take(tenant = '', signal, build, onWait) {
      signal.throwIfAborted();
      const known = tenants.get(tenant);
      if (known || tenants.size >= most) onWait();
      const own = known ?? { limit: pLimit(1), count: 0 };
      tenants.set(tenant, own);
      own.count += 1;
      const { promise: givenUp, reject } = Promise.withResolvers<never>();
      const giveUp = (): void => reject(signal.reason);
      signal.addEventListener('abort', giveUp, { once: true });
      const begin = async () => {
        signal.removeEventListener('abort', giveUp);
        signal.throwIfAborted();
        return await build();
      };
      const turn = own
        .limit(async () => await all(begin))
        .finally(() => {
          own.count -= 1;
          if (own.count === 0) tenants.delete(tenant);
        });
      return await Promise.race([givenUp, turn]);
    },
  };
}
